/**
 * Returns text with lines that fit a terminal, broken between words. The lines of a paragraph are joined first. Text
 * after a gap of two spaces stays in its column. Without a width, as for a file, the text is unchanged.
 */
export function wrap(text: string, width: number | undefined): string {
  if (width === undefined) return text
  const paragraphs: string[][] = []
  for (const line of text.split('\n')) {
    const before = paragraphs.at(-1)
    if (before && /^\S/.test(line) && /^\S/.test(before[0]!)) before.push(line)
    else paragraphs.push([line])
  }
  return paragraphs
    .flatMap((lines) => (lines.some(({ length }) => length > width) ? folded(lines.join(' '), width) : lines))
    .join('\n')
}

function folded(text: string, width: number): string[] {
  const [column = ''] = /^\s*\S.*?\s{2,}(?=\S)/.exec(text) ?? /^\s*/.exec(text) ?? []
  const indent = column.length < width / 2 ? column.length : 4
  const lines: string[] = []
  let line = text.slice(0, column.length)
  let isBegun = false
  for (const word of text.slice(column.length).split(' ')) {
    if (isBegun && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ' '.repeat(indent) + word
    } else line += isBegun ? ` ${word}` : word
    isBegun = true
  }
  return [...lines, line]
}
