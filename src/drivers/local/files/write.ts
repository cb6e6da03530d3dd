import { closeSync, type Stats } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CarrelError } from '../../../errors.ts'
import { FileSink } from './file-sink.ts'
import { makeDirectories } from './make-directories.ts'
import { NewFile } from './new-file.ts'
import { quote, splitPath } from '../../files/computer-path.ts'
import { entryPath, type RootedDirectory } from './rooted.ts'

export interface Owner {
  /** Host ids. */
  uid: number
  gid: number
}

interface WriteOptions {
  owner: Owner
  mode?: number
  maxBytes: number
  ownsChunks?: boolean
  /** Throws when the host has no space for more. */
  assertSpace?: (path: string) => void
}

/**
 * Writes data to the file that a path leads to, atomically: a new file in the same directory replaces it when it is
 * complete. An existing file keeps its owner, and its mode unless one is given. After a failure the old file is
 * unchanged.
 */
export async function writeFileIn(
  root: RootedDirectory,
  path: string,
  data: Readable | Uint8Array,
  options: WriteOptions,
): Promise<number> {
  const staged = await stageFileIn(root, path, data, options)
  try {
    await staged.file.commit(staged.name)
    return staged.sizeBytes
  } finally {
    await staged.close()
  }
}

/** A complete file without a path. It is deleted when it is closed before a commit. */
export interface StagedFile {
  file: NewFile
  name: string
  sizeBytes: number
  close: () => Promise<void>
}

/** Commits a staged file to another path. An existing file keeps its owner and, without `mode`, its mode. */
export async function commitFileIn(
  root: RootedDirectory,
  file: NewFile,
  path: string,
  { owner, mode }: Pick<WriteOptions, 'owner' | 'mode'>,
): Promise<void> {
  const { directory, name } = splitPath(await followLinks(root, path))
  const directoryFd = await makeDirectories(root, directory, { owner })
  try {
    const existing = await existingFile(root.entry(directoryFd, name), path)
    const { uid, gid } = existing ?? owner
    await file.handle.chown(uid, gid)
    const wanted = mode ?? existing?.mode
    if (wanted !== undefined) await file.handle.chmod(wanted & 0o7777)
    await file.commit(name, directoryFd)
  } finally {
    closeSync(directoryFd)
  }
}

/** Writes a file without committing it to its path. A failure leaves nothing. */
export async function stageFileIn(
  root: RootedDirectory,
  path: string,
  data: Readable | Uint8Array,
  options: WriteOptions,
): Promise<StagedFile> {
  const target = await followLinks(root, path)
  const { directory, name } = splitPath(target)
  const directoryFd = await makeDirectories(root, directory, { owner: options.owner })
  let file: NewFile | undefined
  const close = async () => {
    await file?.close()
    closeSync(directoryFd)
  }
  try {
    const existing = await existingFile(root.entry(directoryFd, name), path)
    const { uid, gid } = existing ?? options.owner
    file = await NewFile.open(directoryFd)
    await file.handle.chown(uid, gid)
    const sink = new FileSink(file.handle, { path, ownsChunks: false, ...options })
    await pipeline(data instanceof Uint8Array ? [data] : data, sink)
    await file.handle.chmod(options.mode ?? (existing ? existing.mode & 0o7777 : 0o644))
    return { file, name, sizeBytes: sink.sizeBytes, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Returns the file that is to be replaced, if there is one. Throws for what is not a regular file. */
async function existingFile(host: string, path: string): Promise<Stats | undefined> {
  const existing = await lstat(host).catch(() => undefined)
  if (!existing || existing.isFile()) return existing
  if (existing.isDirectory()) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' })
  throw new CarrelError('invalid_request', `Cannot write ${quote(path)}: it is not a regular file`, {
    details: { path },
  })
}

/** Returns the path that links at the end of a path lead to. The kernel resolves each step inside the root. */
async function followLinks(root: RootedDirectory, path: string): Promise<string> {
  let at = path
  for (let step = 0; step < maxLinks; step++) {
    const { directory, name } = splitPath(at)
    const link = await root.inDirectory(directory, (fd) => readlink(entryPath(fd, name))).catch(notALink)
    if (link === undefined) return at
    at = link.startsWith('/') ? link : `${directory}/${link}`
  }
  throw Object.assign(new Error('too many links'), { code: 'ELOOP' })
}

function notALink(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'EINVAL' || error.code === 'ENOENT') return undefined
  throw error
}

const maxLinks = 40
