/** The parsed words of a command line: letters of options, values of those that take one, and the rest. */
export interface Options {
  has: (letter: string) => boolean
  value: (letter: string) => string | undefined
  rest: string[]
}

/**
 * Parses a command line. `withValue` lists the letters whose value is the rest of the word, or else the next word. Long
 * options are `--name=value`.
 */
export function readOptions(words: string[], withValue = ''): Options {
  const letters = new Set<string>()
  const values = new Map<string, string>()
  const rest: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (word === '--') return { ...accessors(letters, values), rest: [...rest, ...words.slice(at + 1)] }
    const long = /^--([\w-]+)(?:=(.*))?$/s.exec(word)
    if (long) {
      letters.add(long[1]!)
      if (long[2] !== undefined) values.set(long[1]!, long[2])
    } else if (/^-[^-]/.test(word)) {
      for (let index = 1; index < word.length; index++) {
        const letter = word[index]!
        letters.add(letter)
        if (!withValue.includes(letter)) continue
        values.set(letter, word.slice(index + 1) || (words[++at] ?? ''))
        break
      }
    } else rest.push(word)
  }
  return { ...accessors(letters, values), rest }
}

function accessors(letters: Set<string>, values: Map<string, string>) {
  return { has: (letter: string) => letters.has(letter), value: (letter: string) => values.get(letter) }
}

/** Returns a number of bytes, as in `10`, `64K` or `5M`. */
export function byteCount(text: string): number {
  const [, number, unit = ''] = /^(\d+)([KMG]?)/.exec(text) ?? []
  return Number(number ?? 0) * 1024 ** ['', 'K', 'M', 'G'].indexOf(unit)
}
