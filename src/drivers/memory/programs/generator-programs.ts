import type { Program } from '../tasks/task.ts'
import { readOptions } from './options.ts'
import { formatted } from './printf.ts'

/** Programs that print generated lines. */
export const generatorPrograms: Record<string, Program> = {
  seq: async (task) => {
    const { value, rest } = readOptions(task.argv.slice(1).map(asNumber), 'f')
    const numbers = rest.map(Number)
    const last = numbers.at(-1) ?? 1
    const [first, step] = [numbers.length > 1 ? numbers[0]! : 1, numbers.length > 2 ? numbers[1]! : 1]
    const format = `${value('f') ?? '%s'}\n`
    let text = ''
    for (let number = first; step > 0 ? number <= last : number >= last; number += step) {
      text += value('f') ? formatted(format, [String(number)]) : `${number}\n`
      if (text.length < chunkLength) continue
      await task.print(text)
      text = ''
    }
    await task.print(text)
    return 0
  },
  yes: async (task) => {
    const line = `${task.argv.slice(1).join(' ') || 'y'}\n`
    for (;;) await task.print(line.repeat(Math.ceil(chunkLength / line.length)))
  },
}

/** Keeps a negative number from being read as an option. */
function asNumber(word: string): string {
  return /^-\d/.test(word) ? ` ${word}` : word
}

/** How much text is printed in one write. */
const chunkLength = 256 * 1024
