/** The keysyms of X11 for the keys that enter no text, by the names that browsers have for the keys. */
export const keysyms: Readonly<Record<string, number>> & { Backspace: number; Enter: number } = {
  Backspace: 0xff08,
  Tab: 0xff09,
  Enter: 0xff0d,
  Escape: 0xff1b,
  ArrowLeft: 0xff51,
  ArrowUp: 0xff52,
  ArrowRight: 0xff53,
  ArrowDown: 0xff54,
}

/** Returns the keysym of a character: Latin-1 is as it is, everything else is Unicode with a prefix. */
export function keysymOf(character: string): number {
  const code = character.codePointAt(0)!
  return code < 0x100 ? code : 0x1000000 | code
}
