import { unescape } from '../shell/parse-words.ts'
import type { Task } from '../tasks/task.ts'

/** `printf FORMAT [word...]`: the format is repeated until it has used all words. */
export async function printf(task: Task, [format = '', ...words]: string[]): Promise<number> {
  const remaining = [...words]
  do {
    const before = remaining.length
    await task.print(formatted(format, remaining))
    if (remaining.length === before) break
  } while (remaining.length > 0)
  return 0
}

/** Returns the formatted text. Removes the words that it uses from the front of `words`. */
export function formatted(format: string, words: string[]): string {
  return format.replaceAll(
    /%([-0 +#]*)(\d*)(?:\.(\d+))?([%sdiubcxXofq])|\\(?:x[0-9A-Fa-f]{1,2}|0?[0-7]{1,3}|.)/g,
    (found: string, flags: string, width: string, precision: string | undefined, kind: string | undefined) => {
      if (kind === undefined) return unescape(found)
      if (kind === '%') return '%'
      const text = formatWord(kind, words.shift() ?? '', precision)
      const padded = flags.includes('0') && kind !== 's' ? text.padStart(Number(width), '0') : text
      return flags.includes('-') ? padded.padEnd(Number(width)) : padded.padStart(Number(width))
    },
  )
}

function formatWord(kind: string, word: string, precision: string | undefined): string {
  switch (kind) {
    case 's':
      return precision === undefined ? word : word.slice(0, Number(precision))
    case 'b':
      return unescape(word)
    case 'c':
      return word.slice(0, 1)
    case 'q':
      return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
    case 'x':
      return Math.trunc(Number(word)).toString(16)
    case 'X':
      return Math.trunc(Number(word)).toString(16).toUpperCase()
    case 'o':
      return Math.trunc(Number(word)).toString(8)
    case 'f':
      return Number(word).toFixed(Number(precision ?? 6))
    default:
      return String(Math.trunc(Number(word)) || 0)
  }
}
