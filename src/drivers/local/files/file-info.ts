import { isUtf8 } from 'node:buffer'
import { constants, type Stats } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import type { FileInfo } from '../../driver.ts'
import { toInsideId } from '../system/id-map.ts'
import { entryPath } from './rooted.ts'

/** What is told of a file, in as far as it is asked for here. */
export type FileStats = Pick<Stats, 'mode' | 'size' | 'uid' | 'gid' | 'mtimeMs'>

/** An entry of a directory as another thread tells of it. */
export interface EntryStats {
  /** As Latin-1, which keeps its bytes. */
  name: string
  stats: FileStats
  target?: string | undefined
}

/** Describes one entry of an open directory, without following it. */
export function entryInfo(directoryFd: number, name: string, path: string): Promise<FileInfo> {
  return infoAt(entryPath(directoryFd, name), name, path)
}

/** The same by the bytes of its name, which need not be UTF-8; `prefix` is the path of the directory with a slash. */
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
