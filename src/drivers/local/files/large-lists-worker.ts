import { lstatSync, opendirSync, readlinkSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { entryBytes } from './entry-bytes.ts'
import type { EntryStats } from './file-info.ts'
import type { ListMessage, ListRequest } from './large-lists.ts'

parentPort?.on('message', (request: ListRequest) => {
  try {
    readPage(request)
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    tell({ failure: { message, code } })
  }
})

function readPage({ fd, limit, after, maxBytes, prefixBytes }: ListRequest): void {
  const directory = `/proc/self/fd/${fd}`
  const { names, hasMore } = firstNames(directory, after, limit)
  let entries: EntryStats[] = []
  let bytes = 0
  for (const [index, name] of names.entries()) {
    const entry = entryOf(Buffer.from(`${directory}/${name}`, 'latin1'), name)
    if (entry) {
      entries.push(entry)
      bytes += entryBytes + prefixBytes + 2 * name.length + (entry.target?.length ?? 0)
    }
    if (entries.length === entriesInMessage) {
      tell({ entries })
      entries = []
    }
    if (bytes < maxBytes || index === names.length - 1) continue
    tell({ entries })
    return tell({ end: true, next: name })
  }
  tell({ entries })
  tell({ end: true, next: hasMore ? names.at(-1) : undefined })
}

/** The first so many behind `after`. Never has more than twice as many in memory. */
function firstNames(path: string, after: string | undefined, limit: number): { names: string[]; hasMore: boolean } {
  const directory = opendirSync(path, { encoding: 'latin1', bufferSize: 1024 })
  let names: string[] = []
  let hasMore = false
  /** Nothing behind it is wanted. */
  let last: string | undefined
  const keepFirst = () => {
    names.sort(byBytes)
    if (names.length <= limit) return
    hasMore = true
    names = names.slice(0, limit)
    last = names.at(-1)
  }
  try {
    for (let entry = directory.readSync(); entry; entry = directory.readSync()) {
      const { name } = entry
      if (after !== undefined && name <= after) continue
      if (last !== undefined && name > last) hasMore = true
      else if (names.push(name) >= 2 * limit) keepFirst()
    }
  } finally {
    directory.closeSync()
  }
  keepFirst()
  return { names, hasMore }
}

/** undefined when it is gone by now. */
function entryOf(path: Buffer, name: string): EntryStats | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found) return undefined
  const { mode, size, uid, gid, mtimeMs } = found
  const target = found.isSymbolicLink() ? { target: targetOf(path) } : {}
  return { name, stats: { mode, size, uid, gid, mtimeMs }, ...target }
}

function targetOf(path: Buffer): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

function byBytes(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function tell(message: ListMessage): void {
  parentPort?.postMessage(message)
}

/** What the other thread takes in a millisecond. */
const entriesInMessage = 500
