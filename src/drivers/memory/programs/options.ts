/** The words of a command line, apart: letters of options, values of those that take one, and the rest. */
export interface Options {
  has: (letter: string) => boolean
  value: (letter: string) => string | undefined
  rest: string[]
}

/** `withValue` are the letters whose value follows, or is the rest of the word. Long options are `--name=value`. */
export function readOptions(words: string[], withValue = ''): Options {
  const letters = new Set<string>()
  const values = new Map<string, string>()
  const rest: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (word === '--') return { ...answers(letters, values), rest: [...rest, ...words.slice(at + 1)] }
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
  return { ...answers(letters, values), rest }
}

function answers(letters: Set<string>, values: Map<string, string>) {
  return { has: (letter: string) => letters.has(letter), value: (letter: string) => values.get(letter) }
}

/** `10`, `64K`, `5M`: a number of bytes. */
export function byteCount(text: string): number {
  const [, number, unit = ''] = /^(\d+)([KMG]?)/.exec(text) ?? []
  return Number(number ?? 0) * 1024 ** ['', 'K', 'M', 'G'].indexOf(unit)
}
