import { closeSync } from 'node:fs'
import { lstat, readlink, type FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { CarrelError } from '../../../errors.ts'
import { makeDirectories } from './make-directories.ts'
import { NewFile } from './new-file.ts'
import { entryPath, quote, splitPath, type RootedDirectory } from './rooted.ts'

export interface Owner {
  /** Host ids. */
  uid: number
  gid: number
}

interface WriteOptions {
  owner: Owner
  mode?: number
  maxBytes: number
}

/**
 * Puts data where a path leads, in one step: a new file in the same directory takes its place when all is there. An existing file keeps its owner and mode. When anything fails the old file stays as it was.
 */
export async function writeFileIn(
  root: RootedDirectory,
  path: string,
  data: Readable | Uint8Array,
  options: WriteOptions,
): Promise<number> {
  const target = await followLinks(root, path)
  const { directory, name } = splitPath(target)
  const directoryFd = await makeDirectories(root, directory, options.owner)
  try {
    const existing = await lstat(entryPath(directoryFd, name)).catch(() => undefined)
    if (existing && !existing.isFile()) {
      throw new CarrelError('invalid_request', `Cannot write ${quote(path)}: it is no regular file`, {
        details: { path },
      })
    }
    const owner = existing ?? options.owner
    const mode = options.mode ?? (existing ? existing.mode & 0o7777 : 0o644)
    return await replace(directoryFd, name, path, data, { ...options, owner, mode })
  } finally {
    closeSync(directoryFd)
  }
}

async function replace(
  directoryFd: number,
  name: string,
  path: string,
  data: Readable | Uint8Array,
  options: Required<WriteOptions>,
): Promise<number> {
  const file = await NewFile.open(directoryFd)
  try {
    await file.handle.chown(options.owner.uid, options.owner.gid)
    const sizeBytes = await fill(file.handle, data, path, options.maxBytes)
    await file.handle.chmod(options.mode)
    await file.place(name)
    return sizeBytes
  } finally {
    await file.close()
  }
}

/** Writes by batches, one while the next one comes in. */
async function fill(file: FileHandle, data: Readable | Uint8Array, path: string, maxBytes: number): Promise<number> {
  let sizeBytes = 0
  let batch: Uint8Array[] = []
  let batchBytes = 0
  let writing: Promise<unknown> = Promise.resolve()
  const write = async () => {
    await writing
    writing = writeAll(file, batch)
    // Its failure is told by the next wait, and is none of the process's before.
    writing.catch(() => {})
    batch = []
    batchBytes = 0
  }
  for await (const chunk of data instanceof Uint8Array ? [data] : data) {
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) {
      throw new CarrelError('too_large', `Cannot write ${quote(path)}: it is larger than ${maxBytes} bytes`, {
        details: { maxBytes },
      })
    }
    batch.push(chunk)
    batchBytes += chunk.length
    if (batchBytes >= fullBatchBytes) await write()
  }
  await write()
  await writing
  return sizeBytes
}

async function writeAll(file: FileHandle, chunks: Uint8Array[]): Promise<void> {
  if (chunks.length === 0) return
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const { bytesWritten } = await file.writev(chunks)
  if (bytesWritten === length) return
  // The kernel took a part, as it does at the end of a full disk: what is left tells why.
  const rest = Buffer.concat(chunks).subarray(bytesWritten)
  for (let offset = 0; offset < rest.length;) offset += (await file.write(rest, offset)).bytesWritten
}

/** Where the links at the end of a path lead. Each step is resolved inside the root by the kernel. */
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
const fullBatchBytes = 1024 * 1024
