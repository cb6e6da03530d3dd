import { createHash } from 'node:crypto'
import { openForReading, openForWriting } from '../shell/redirect.ts'
import type { Program, Task } from '../tasks/task.ts'
import { formatted } from './printf.ts'
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
  seq: async (task) => {
    const { value, rest } = readOptions(task.argv.slice(1).map(asNumber), 'f')
    const numbers = rest.map(Number)
    const last = numbers.at(-1) ?? 1
    const [first, step] = [numbers.length > 1 ? numbers[0]! : 1, numbers.length > 2 ? numbers[1]! : 1]
    const format = `${value('f') ?? '%s'}\n`
    let text = ''
    for (let number = first; step > 0 ? number <= last : number >= last; number += step) {
      text += value('f') ? formatted(format, [String(number)]) : `${number}\n`
      if (text.length < printedChunkBytes) continue
      await task.print(text)
      text = ''
    }
    await task.print(text)
    return 0
  },
  yes: async (task) => {
    const line = `${task.argv.slice(1).join(' ') || 'y'}\n`
    for (;;) await task.print(line.repeat(Math.ceil(printedChunkBytes / line.length)))
  },
  sha1sum: (task) => checksum(task, 'sha1'),
  sha256sum: (task) => checksum(task, 'sha256'),
  md5sum: (task) => checksum(task, 'md5'),
  base64: async (task) => {
    const { has, rest } = readOptions(task.argv.slice(1), 'w')
    return eachInput(task, rest, async () => {
      const all = await task.readAll()
      if (has('d')) return task.write(1, Buffer.from(all.toString('latin1'), 'base64'))
      return task.print(`${all.toString('base64')}\n`)
    })
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

/** Calls `work` with each file as stdin, or once with the task's own stdin when there are no files. */
async function eachInput(task: Task, paths: string[], work: () => Promise<void>): Promise<number> {
  if (paths.length === 0) {
    await work()
    return 0
  }
  const before = task.descriptors.get(0)
  before?.retain()
  let status = 0
  for (const path of paths) {
    try {
      task.setDescriptor(0, path === '-' ? before : openForReading(task, path))
      await work()
    } catch (error) {
      if (task.end || !(error instanceof Error)) throw error
      status = await task.complain(`${path}: ${error.message}`)
    }
  }
  before?.release()
  return status
}

async function headBytes(task: Task, count: number): Promise<void> {
  for (let left = count; left > 0;) {
    const chunk = await task.read(0, Math.min(left, printedChunkBytes))
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

async function checksum(task: Task, algorithm: string): Promise<number> {
  const paths = task.argv.slice(1)
  return eachInput(task, paths, async () => {
    const hash = createHash(algorithm)
    for (let chunk = await task.read(); chunk.length > 0; chunk = await task.read()) hash.update(chunk)
    await task.print(`${hash.digest('hex')}  ${paths[0] ?? '-'}\n`)
  })
}

function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

function joined(lines: string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

/** Turns `-5` into `-n5`. */
function asCount(word: string): string {
  return /^-\d+$/.test(word) ? `-n${word.slice(1)}` : word
}

/** Keeps a negative number from being read as an option. */
function asNumber(word: string): string {
  return /^-\d/.test(word) ? ` ${word}` : word
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

const printedChunkBytes = 256 * 1024
