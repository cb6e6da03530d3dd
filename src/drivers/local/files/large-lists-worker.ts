import { lstatSync, opendirSync, readlinkSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { entryBytes } from './entry-bytes.ts'
import type { EntryStats } from './file-info.ts'
import type { ListMessage, ListRequest } from './large-lists.ts'
import { failureOf } from './turn-thread.ts'

parentPort?.on('message', (request: ListRequest) => {
  try {
    readPage(request)
  } catch (error) {
    post(failureOf(error))
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
      post({ entries })
      entries = []
    }
    if (bytes < maxBytes || index === names.length - 1) continue
    post({ entries })
    return post({ end: true, next: name })
  }
  post({ entries })
  post({ end: true, next: hasMore ? names.at(-1) : undefined })
}

/** Returns the first `limit` names after `after`. Holds at most twice as many in memory. */
function firstNames(path: string, after: string | undefined, limit: number): { names: string[]; hasMore: boolean } {
  const directory = opendirSync(path, { encoding: 'latin1', bufferSize: 1024 })
  let names: string[] = []
  let hasMore = false
  /** Names after this one are not needed. */
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

/** Returns undefined when the entry was deleted meanwhile. */
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

function post(message: ListMessage): void {
  parentPort?.postMessage(message)
}

/** As many as the other thread processes in a millisecond. */
const entriesInMessage = 500
