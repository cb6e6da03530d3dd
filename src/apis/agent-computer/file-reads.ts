import { limits } from '../../config/limits.ts'
import type { OpenFile } from '../../engine/types.ts'
import { CarrelError } from '../../errors.ts'
import { fileAsText } from '../../http/file-text.ts'
import { holdUntilAnswered } from '../../http/large-response.ts'
import type { FileWork } from './file-operations.ts'

type Work = Pick<FileWork, 'engine' | 'request' | 'computer' | 'files' | 'slices'>

/** Returns a file as text, for an answer. Throws `invalid_request` when it is not UTF-8. */
export async function readText(work: Work, path: string): Promise<string> {
  const { text, encoding } = await fileAsText(await open(work, path), { encoding: undefined, slices: work.slices })
  if (encoding === 'utf8') return text
  throw new CarrelError(
    'invalid_request',
    `Cannot read ${JSON.stringify(path)}: it is not UTF-8 text; use read_bytes`,
    {
      details: { path, operation: 'read_bytes' },
    },
  )
}

/** Returns a file or a part of it in base64, for an answer. A part beyond the end is empty. */
export async function readBase64(
  work: Work,
  path: string,
  range: { start: number; length: number } = { start: 0, length: Infinity },
): Promise<string> {
  const { text } = await fileAsText(await open(work, path, range), { encoding: 'base64', slices: work.slices })
  return text
}

/** Opens a part of a file until the answer is sent. Throws `too_large` when the part does not fit into an answer. */
async function open(
  { engine, request, computer, files }: Work,
  path: string,
  { start, length }: { start: number; length: number } = { start: 0, length: Infinity },
): Promise<OpenFile> {
  const file = await files.open(path)
  holdUntilAnswered(request, () => file.close())
  const sizeBytes = Math.max(0, Math.min(length, file.info.sizeBytes - start))
  if (sizeBytes > limits.readBytes)
    throw new CarrelError(
      'too_large',
      `Cannot read ${JSON.stringify(path)}: it has ${sizeBytes} bytes and the limit is ${limits.readBytes}; use read_range`,
      { details: { sizeBytes, maxBytes: limits.readBytes } },
    )
  if (sizeBytes > limits.uncountedBytes)
    holdUntilAnswered(
      request,
      await engine.budgets.memory.reserve(computer.caller.accountId, limits.fileReadMemoryBytes),
    )
  return {
    info: { ...file.info, sizeBytes },
    read: (buffer, position) => file.read(buffer, start + position),
    close: () => {},
  }
}
