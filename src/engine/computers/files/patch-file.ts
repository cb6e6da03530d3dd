import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { limits } from '../../../config/limits.ts'
import type { ComputerFiles } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { Slices } from '../../../slices.ts'
import type { Context } from '../../context.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { occurrences } from './occurrences.ts'

export interface Edit {
  /** Not empty. */
  find: Buffer
  replace: Buffer
}

/** What a patch makes of a file: other contents, or edits that are applied in turn, each to all occurrences. */
export type Patch = { contents: Buffer } | { edits: Edit[] }

/**
 * Changes a file atomically, and returns the SHA-256 of its new contents. The file keeps its owner and its mode. Patches
 * of a computer run one after the other, so that none is lost. Throws `not_found` for a missing file, `invalid_request`
 * for one that is not UTF-8, `too_large` beyond `limits.patchBytes`, and `conflict` when a program changes the file
 * meanwhile.
 */
export function patchFile(
  { locks }: Pick<Context, 'locks'>,
  { id }: AccessibleComputer<'files'>,
  { files, path, patch, slices }: { files: ComputerFiles; path: string; patch: Patch; slices: Slices },
): Promise<Buffer> {
  return locks.files(id, async () => {
    const before = await files.open(path)
    try {
      const contents = 'contents' in patch ? patch.contents : await edited(before, { path, edits: patch.edits, slices })
      const { sizeBytes, modifiedAtMs } = await files.stat(path)
      if (sizeBytes !== before.info.sizeBytes || modifiedAtMs !== before.info.modifiedAtMs)
        throw new CarrelError('conflict', `Cannot patch ${JSON.stringify(path)}: a program has changed it meanwhile`)
      await files.write(path, contents, { maxBytes: contents.length })
      return await hashOf(contents, slices)
    } finally {
      before.close()
    }
  })
}

type Source = Awaited<ReturnType<ComputerFiles['open']>>

async function edited(
  file: Source,
  { path, edits, slices }: { path: string; edits: Edit[]; slices: Slices },
): Promise<Buffer> {
  const { sizeBytes } = file.info
  if (sizeBytes > limits.patchBytes) throw tooLarge(path, sizeBytes)
  let contents = await readAll(file)
  if (!isUtf8(contents))
    throw new CarrelError(
      'invalid_request',
      `Cannot patch ${JSON.stringify(path)}: it is not UTF-8 text; use read_bytes and write_bytes`,
      { details: { path } },
    )
  for (const edit of edits) contents = await replaceAll(path, contents, edit, slices)
  return contents
}

async function readAll(file: Source): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(file.info.sizeBytes)
  let length = 0
  while (length < bytes.length) {
    const read = await file.read(bytes.subarray(length), length)
    if (read === 0) break
    length += read
  }
  return bytes.subarray(0, length)
}

/** Replaces all occurrences, counted before anything is made. */
async function replaceAll(path: string, contents: Buffer, { find, replace }: Edit, slices: Slices): Promise<Buffer> {
  const at = await occurrences(contents, find, slices)
  if (at.length === 0) return contents
  const sizeBytes = contents.length + at.length * (replace.length - find.length)
  if (sizeBytes > limits.patchBytes) throw tooLarge(path, sizeBytes)
  const result = Buffer.allocUnsafe(sizeBytes)
  let [read, written] = [0, 0]
  for (const start of at) {
    written += contents.copy(result, written, read, start)
    written += replace.copy(result, written)
    read = start + find.length
    if (slices.isOver) await slices.next()
  }
  contents.copy(result, written, read)
  return result
}

async function hashOf(contents: Buffer, slices: Slices): Promise<Buffer> {
  const hash = createHash('sha256')
  for (let at = 0; at < contents.length; at += hashedBytes) {
    hash.update(contents.subarray(at, at + hashedBytes))
    if (slices.isOver) await slices.next()
  }
  return hash.digest()
}

function tooLarge(path: string, sizeBytes: number): CarrelError {
  return new CarrelError(
    'too_large',
    `Cannot patch ${JSON.stringify(path)}: it has ${sizeBytes} bytes, before or after, and the limit is ${limits.patchBytes}`,
    { details: { sizeBytes, maxBytes: limits.patchBytes } },
  )
}

const hashedBytes = 1024 * 1024
