import { closeSync, constants, fstatSync, write } from 'node:fs'
import { promisify } from 'node:util'
import { CarrelError } from '../../../errors.ts'
import { quote } from '../../files/computer-path.ts'
import type { RootedDirectory } from './rooted.ts'
import { stageFileIn, type Owner } from './write.ts'

interface Options {
  offset: number
  owner: Owner
}

/** Writes a part of a file in place. A missing file is created, and appears when it is complete. */
export async function writeRangeIn(
  root: RootedDirectory,
  path: string,
  data: Uint8Array,
  { offset, owner }: Options,
): Promise<void> {
  const fd = openExisting(root, path)
  if (fd === undefined) return writeNew(root, path, data, { offset, owner })
  try {
    if (!fstatSync(fd).isFile())
      throw new CarrelError('invalid_request', `Cannot write ${quote(path)}: it is not a regular file`, {
        details: { path },
      })
    await writeAll(fd, data, offset)
  } finally {
    closeSync(fd)
  }
}

/** Returns undefined for a file that does not exist. */
function openExisting(root: RootedDirectory, path: string): number | undefined {
  try {
    return root.open(path, constants.O_RDWR)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function writeNew(
  root: RootedDirectory,
  path: string,
  data: Uint8Array,
  { offset, owner }: Options,
): Promise<void> {
  const staged = await stageFileIn(root, path, new Uint8Array(), { owner, maxBytes: 0 })
  try {
    await writeAll(staged.file.handle.fd, data, offset)
    await staged.file.commit(staged.name)
  } finally {
    await staged.close()
  }
}

async function writeAll(fd: number, data: Uint8Array, offset: number): Promise<void> {
  for (let at = 0; at < data.length;) at += (await writeAt(fd, data, at, data.length - at, offset + at)).bytesWritten
}

const writeAt = promisify(write)
