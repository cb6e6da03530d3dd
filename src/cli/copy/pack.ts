import type { BigIntStats } from 'node:fs'
import { lstat, open, readdir, readlink } from 'node:fs/promises'
import { localMode } from './local-file.ts'
import { endOfArchive, headerOf, padding, type TarEntry } from '../../tar/tar-records.ts'

const chunkBytes = 256 * 1024

/** Yields the entries below a folder, a folder before its content. Links are entries and are never followed. */
async function* walk(
  folder: Buffer,
  below?: Buffer,
  leftOut?: string,
): AsyncGenerator<{ path: Buffer; stats: BigIntStats }> {
  for (const name of await readdir(below ? joined(folder, below) : folder, { encoding: 'buffer' })) {
    if (name.toString() === leftOut) continue
    const path = below ? joined(below, name) : name
    const stats = await lstat(joined(folder, path), { bigint: true })
    yield { path, stats }
    if (stats.isDirectory()) yield* walk(folder, path)
  }
}

/** Returns the total size of the files below a folder. A file with several names counts once. */
export async function folderBytes(from: string): Promise<number> {
  const known = new Set<string>()
  let bytes = 0
  for await (const { stats } of walk(Buffer.from(from))) {
    if (!stats.isFile() || isKnown(known, stats)) continue
    bytes += Number(stats.size)
  }
  return bytes
}

/**
 * Yields a folder as a tar stream: modes, times, links, files with several names, empty folders, and names of any
 * bytes. Entries that are neither file, folder nor link are left out. `onBytes` gets the number of content bytes as
 * they are packed. `leftOut` is the name of an entry of the folder itself.
 */
export async function* pack(
  from: string,
  onBytes: (bytes: number) => Promise<void>,
  leftOut?: string,
): AsyncGenerator<Buffer> {
  const folder = Buffer.from(from)
  const firstNames = new Map<string, Buffer>()
  yield headerOf(entryOf(Buffer.from('.'), await lstat(joined(folder, Buffer.from('.')), { bigint: true })))
  for await (const { path, stats } of walk(folder, undefined, leftOut)) {
    const source = joined(folder, path)
    const entry = entryOf(path, stats)
    const firstName = stats.nlink > 1n ? firstNames.get(identity(stats)) : undefined
    if (stats.isDirectory()) yield headerOf(entry)
    else if (stats.isSymbolicLink()) {
      yield headerOf({ ...entry, type: 'SymbolicLink', target: await targetOf(source) })
    } else if (!stats.isFile()) continue
    else if (firstName) yield headerOf({ ...entry, type: 'Link', target: firstName, size: 0 })
    else {
      if (stats.nlink > 1n) firstNames.set(identity(stats), path)
      yield* packFile(source, entry, onBytes)
    }
  }
  yield endOfArchive
}

async function* packFile(source: Buffer, entry: TarEntry, onBytes: (bytes: number) => Promise<void>) {
  const file = await open(source)
  try {
    yield headerOf(entry)
    for (let at = 0; at < entry.size;) {
      const wanted = Math.min(chunkBytes, entry.size - at)
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(wanted), 0, wanted, at)
      if (bytesRead === 0) throw new Error(`Cannot copy "${source.toString()}": it became shorter while it was read`)
      yield buffer.subarray(0, bytesRead)
      at += bytesRead
      await onBytes(bytesRead)
    }
    yield padding(entry.size)
  } finally {
    await file.close()
  }
}

function entryOf(path: Buffer, stats: BigIntStats): TarEntry {
  return {
    type: stats.isDirectory() ? 'Directory' : 'File',
    path,
    mode: localMode(stats),
    mtime: stats.mtime,
    size: stats.isFile() ? Number(stats.size) : 0,
  }
}

/** Returns the target of a link, with the separators of a sandbox. */
async function targetOf(link: Buffer): Promise<Buffer> {
  const target = await readlink(link, { encoding: 'buffer' })
  return process.platform === 'win32' ? Buffer.from(target.toString().replaceAll('\\', '/')) : target
}

function isKnown(known: Set<string>, stats: BigIntStats): boolean {
  if (stats.nlink === 1n) return false
  const is = identity(stats)
  return known.has(is) || !known.add(is)
}

function identity({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`
}

function joined(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, Buffer.from('/'), name])
}
