import { isUtf8 } from 'node:buffer'
import { opendir } from 'node:fs/promises'
import type { FileInfo, FilePage, ListOptions } from '../../driver.ts'
import { entryBytes } from './entry-bytes.ts'
import { describe, listedInfo, type EntryStats } from './file-info.ts'
import { largeLists } from './large-lists.ts'

/**
 * Returns a page of the entries of an open directory, ordered by the bytes of their names, after `after`. A large
 * directory is read by another thread, which spends the time and the memory for its names. `key` identifies the
 * computer.
 */
export async function listDirectory(fd: number, path: string, key: string, options: ListOptions): Promise<FilePage> {
  const prefix = path.endsWith('/') ? path : `${path}/`
  const names = await fewNames(fd)
  if (names) return smallPage(fd, prefix, names, options)
  await options.beforeLarge?.()
  const { limit, maxBytes, after } = options
  const page = await largeLists.ask(key, {
    fd,
    limit,
    after: after?.toString('latin1'),
    maxBytes,
    prefixBytes: Buffer.byteLength(prefix),
  })
  return { entries: page.entries.map((entry) => infoOf(entry, prefix)), ...nextOf(page.next) }
}

async function smallPage(fd: number, prefix: string, names: string[], options: ListOptions): Promise<FilePage> {
  const { limit, after, maxBytes } = options
  const start = after?.toString('latin1')
  const wanted = names.filter((name) => start === undefined || name > start).toSorted(byBytes)
  const entries: FileInfo[] = []
  let bytes = 0
  for (let at = 0; at < wanted.length; at += batchSize) {
    const batch = wanted.slice(at, at + Math.min(batchSize, limit - at))
    const found = await Promise.all(
      batch.map((name) => listedInfo(fd, Buffer.from(name, 'latin1'), prefix).catch(unlessGone)),
    )
    for (const info of found) {
      if (info === undefined) continue
      bytes += entryBytes + 2 * Buffer.byteLength(info.path) + (info.target?.length ?? 0)
      entries.push(info)
    }
    const last = batch.at(-1)
    const isFull = bytes >= maxBytes || at + batch.length >= limit
    if (isFull && at + batch.length < wanted.length) return { entries, ...nextOf(last) }
  }
  return { entries }
}

/** Returns all names as Latin-1, which preserves their bytes; undefined for a large directory. */
async function fewNames(fd: number): Promise<string[] | undefined> {
  const directory = await opendir(`/proc/self/fd/${fd}`, { encoding: 'latin1', bufferSize: 256 })
  const names: string[] = []
  for await (const { name } of directory) if (names.push(name) > fewEntries) return undefined
  return names
}

function infoOf({ name: latin1, stats, target }: EntryStats, prefix: string): FileInfo {
  const bytes = Buffer.from(latin1, 'latin1')
  const name = bytes.toString()
  return {
    ...describe(stats, name, prefix + name),
    ...(target === undefined ? {} : { target }),
    ...(isUtf8(bytes) ? {} : { nameBytes: bytes }),
  }
}

function nextOf(last: string | undefined): { next?: Buffer } {
  return last === undefined ? {} : { next: Buffer.from(last, 'latin1') }
}

function byBytes(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function unlessGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

const batchSize = 64
const fewEntries = 1024
