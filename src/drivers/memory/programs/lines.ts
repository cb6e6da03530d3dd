/** Returns the lines of a text, without line feeds. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** Returns a text of lines, each with a line feed. */
export function joined(lines: string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}
