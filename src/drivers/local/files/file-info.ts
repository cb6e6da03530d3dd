import { isUtf8 } from 'node:buffer'
import { constants, type Stats } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import type { FileInfo } from '../../driver.ts'
import { toInsideId } from '../system/id-map.ts'
import { entryPath } from './rooted.ts'

/** The part of a file's status that this module uses. */
export type FileStats = Pick<Stats, 'mode' | 'size' | 'uid' | 'gid' | 'mtimeMs'>

/** A directory entry in a message of another thread. */
export interface EntryStats {
  /** The name as Latin-1, which preserves its bytes. */
  name: string
  stats: FileStats
  target?: string | undefined
}

/** Describes an entry of an open directory, without following a link. */
export function entryInfo(directoryFd: number, name: string, path: string): Promise<FileInfo> {
  return infoAt(entryPath(directoryFd, name), name, path)
}

/** Describes an entry by the bytes of its name, in any encoding. `prefix` is the directory's path with a slash. */
export async function listedInfo(directoryFd: number, bytes: Buffer, prefix: string): Promise<FileInfo> {
  const name = bytes.toString()
  if (isUtf8(bytes)) return entryInfo(directoryFd, name, prefix + name)
  const host = Buffer.concat([Buffer.from(entryPath(directoryFd, '')), bytes])
  return { ...(await infoAt(host, name, prefix + name)), nameBytes: bytes }
}

async function infoAt(host: string | Buffer, name: string, path: string): Promise<FileInfo> {
  const stats = await lstat(host)
  const info = describe(stats, name, path)
  return stats.isSymbolicLink() ? { ...info, target: await readlink(host) } : info
}

export function describe(stats: FileStats, name: string, path: string): FileInfo {
  return {
    name,
    path,
    type: typeOf(stats),
    sizeBytes: stats.size,
    mode: stats.mode & 0o7777,
    uid: toInsideId(stats.uid),
    gid: toInsideId(stats.gid),
    modifiedAtMs: Math.round(stats.mtimeMs),
  }
}

function typeOf({ mode }: FileStats): FileInfo['type'] {
  const kind = mode & constants.S_IFMT
  if (kind === constants.S_IFREG) return 'file'
  if (kind === constants.S_IFDIR) return 'directory'
  return kind === constants.S_IFLNK ? 'symlink' : 'other'
}
