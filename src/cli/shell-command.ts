/** One word is a shell command as it is; several are quoted, so that a shell sees them as they were typed. */
export function shellCommand(words: string[]): string {
  const [first = ''] = words
  return words.length === 1 ? first : words.map(quote).join(' ')
}

function quote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}
