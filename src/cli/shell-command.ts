/**
 * Returns a single word as it is, which is a shell command, and several words quoted, so that a shell sees them as
 * typed.
 */
export function shellCommand(words: string[]): string {
  const [first = ''] = words
  return words.length === 1 ? first : words.map(quote).join(' ')
}

function quote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}
