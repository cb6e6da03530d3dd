/**
 * Returns a single word as it is, which is a shell command, and several words quoted, so that a shell sees them as
 * typed.
 */
export function shellCommand(words: string[]): string {
  const [first = ''] = words
  return words.length === 1
    ? first
    : words.map((word, index) => (index === 0 ? quoteFirst(word) : quote(word))).join(' ')
}

/** Returns whether a shell takes a word as it is written. Code nearly always has other characters. */
export function isPlainWord(word: string): boolean {
  return /^[\w@%+=:,./-]+$/.test(word)
}

/** An unquoted `A=1` in front would be a variable, not a program. */
function quoteFirst(word: string): string {
  return word.includes('=') ? quoted(word) : quote(word)
}

function quote(word: string): string {
  return isPlainWord(word) ? word : quoted(word)
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}
