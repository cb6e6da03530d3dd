import { openForWriting } from '../shell/redirect.ts'
import type { Program, Task } from '../tasks/task.ts'
import { eachInput } from './each-input.ts'
import { joined, linesOf } from './lines.ts'
import { byteCount, readOptions } from './options.ts'

/** Programs that read and write text. */
export const textPrograms: Record<string, Program> = {
  cat: (task) =>
    eachInput(task, task.argv.slice(1), async () => {
      for (let chunk = await task.read(); chunk.length > 0; chunk = await task.read()) await task.write(1, chunk)
    }),
  head: async (task) => {
    const { value, has, rest } = readOptions(task.argv.slice(1).map(asCount), 'nc')
    return eachInput(task, rest, () =>
      has('c') ? headBytes(task, byteCount(value('c')!)) : headLines(task, Number(value('n') ?? 10)),
    )
  },
  tail: async (task) => {
    const { value, has, rest } = readOptions(task.argv.slice(1).map(asCount), 'nc')
    return eachInput(task, rest, async () => {
      const all = (await task.readAll()).toString('latin1')
      const count = value('n') ?? '10'
      if (has('c')) return task.print(all.slice(-byteCount(value('c')!)))
      const lines = linesOf(all)
      return task.print(joined(count.startsWith('+') ? lines.slice(Number(count) - 1) : lines.slice(-Number(count))))
    })
  },
  wc: async (task) => {
    const { has, rest } = readOptions(task.argv.slice(1))
    return eachInput(task, rest, async () => {
      const all = (await task.readAll()).toString('latin1')
      const counts = { l: all.split('\n').length - 1, w: all.split(/\s+/).filter(Boolean).length, c: all.length }
      const wanted = (['l', 'w', 'c'] as const).filter((letter) => has(letter))
      const shown = (wanted.length > 0 ? wanted : (['l', 'w', 'c'] as const)).map((letter) => counts[letter])
      await task.print(`${[...shown, ...rest].join(' ')}\n`)
    })
  },
  sort: async (task) => {
    const { has, rest, value } = readOptions(task.argv.slice(1), 'k')
    return eachInput(task, rest, async () => {
      const lines = linesOf((await task.readAll()).toString('latin1'))
      const key = (line: string) => (value('k') ? (line.split(/ +/)[Number.parseInt(value('k')!, 10) - 1] ?? '') : line)
      const compare = (one: string, other: string) =>
        has('n') ? Number(key(one)) - Number(key(other)) : key(one) < key(other) ? -1 : 1
      const sorted = (has('u') ? [...new Set(lines)] : lines).toSorted(compare)
      await task.print(joined(has('r') ? sorted.toReversed() : sorted))
    })
  },
  uniq: (task) =>
    eachInput(task, task.argv.slice(1), async () => {
      const lines = linesOf((await task.readAll()).toString('latin1'))
      await task.print(joined(lines.filter((line, index) => line !== lines[index - 1])))
    }),
  grep,
  tr: async (task) => {
    const { has, rest } = readOptions(task.argv.slice(1))
    const [from = '', to = ''] = rest.map(characters)
    const text = (await task.readAll()).toString('latin1')
    const changed = Array.from(text, (one) => {
      const index = from.indexOf(one)
      if (index === -1) return one
      return has('d') ? '' : (to[Math.min(index, to.length - 1)] ?? '')
    })
    await task.print(changed.join(''))
    return 0
  },
  cut: async (task) => {
    const { value } = readOptions(task.argv.slice(1), 'dfc')
    const lines = linesOf((await task.readAll()).toString('latin1'))
    const fields = (value('f') ?? '').split(',').map(Number)
    const shown = lines.map((line) => {
      const parts = line.split(value('d') ?? '\t')
      return fields.map((field) => parts[field - 1] ?? '').join(value('d') ?? '\t')
    })
    await task.print(joined(shown))
    return 0
  },
  tee: async (task) => {
    const { has, rest } = readOptions(task.argv.slice(1))
    const files = rest.map((path) => openForWriting(task, path, has('a')))
    for (let chunk = await task.read(); chunk.length > 0; chunk = await task.read()) {
      await task.write(1, chunk)
      for (const file of files) await file.write(chunk)
    }
    return 0
  },
}

/**
 * Prints the lines that match. Returns 0 when there is one, 1 when there is none. Patterns are JavaScript's, which
 * includes grep's simple ones.
 */
async function grep(task: Task): Promise<number> {
  const { has, rest, value } = readOptions(task.argv.slice(1), 'e')
  const given = value('e') ?? rest.shift() ?? ''
  const source = has('F')
    ? given.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
    : given.replaceAll(String.raw`\|`, '|')
  const pattern = new RegExp(has('x') ? `^(?:${source})$` : source, has('i') ? 'i' : '')
  let count = 0
  const failed = await eachInput(task, rest, async () => {
    for (const line of linesOf((await task.readAll()).toString('latin1'))) {
      const [found] = pattern.exec(line) ?? []
      if ((found !== undefined) === has('v')) continue
      count++
      if (!has('q') && !has('c')) await task.print(`${has('o') ? found : line}\n`)
    }
  })
  if (has('c')) await task.print(`${count}\n`)
  return failed === 0 ? Number(count === 0) : 2
}

async function headBytes(task: Task, count: number): Promise<void> {
  for (let left = count; left > 0;) {
    const chunk = await task.read(0, Math.min(left, maxReadBytes))
    if (chunk.length === 0) return
    left -= chunk.length
    await task.write(1, chunk)
  }
}

async function headLines(task: Task, count: number): Promise<void> {
  let text = ''
  while (text.split('\n').length <= count) {
    const chunk = await task.read()
    if (chunk.length === 0) break
    text += chunk.toString('latin1')
  }
  await task.print(joined(linesOf(text).slice(0, count)))
}

/** Turns `-5` into `-n5`. */
function asCount(word: string): string {
  return /^-\d+$/.test(word) ? `-n${word.slice(1)}` : word
}

/** Expands `a-z` and `\n` in a set of characters. */
function characters(set: string): string {
  return set
    .replaceAll(String.raw`\n`, '\n')
    .replaceAll(/(.)-(.)/g, (_, from: string, to: string) =>
      Array.from({ length: to.charCodeAt(0) - from.charCodeAt(0) + 1 }, (_, index) =>
        String.fromCharCode(from.charCodeAt(0) + index),
      ).join(''),
    )
}

const maxReadBytes = 256 * 1024
