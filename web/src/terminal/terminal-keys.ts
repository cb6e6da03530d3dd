export type TerminalKey = 'Escape' | 'Tab' | 'ArrowLeft' | 'ArrowDown' | 'ArrowUp' | 'ArrowRight'

const arrows: Partial<Record<TerminalKey, string>> = { ArrowUp: 'A', ArrowDown: 'B', ArrowRight: 'C', ArrowLeft: 'D' }

/** Returns what a terminal sends for a key. `isApplication`: the mode of the arrow keys that full-screen programs set. */
export function sequenceOf(key: TerminalKey, { isApplication }: { isApplication: boolean }): string {
  if (key === 'Escape') return '\u001b'
  if (key === 'Tab') return '\t'
  return `\u001b${isApplication ? 'O' : '['}${arrows[key]}`
}

/** Returns what a terminal sends for a character that is pressed together with Ctrl; the text itself if there is none. */
export function withControl(text: string): string {
  const code = text.toUpperCase().charCodeAt(0)
  return text.length === 1 && code >= 0x40 && code <= 0x5f ? String.fromCharCode(code & 0x1f) : text
}
