import { createReadStream } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { TaskProblem } from '../formats/task-problem.ts'
import { refusalOf, unpack, type UnpackBounds } from './unpack.ts'

/**
 * Puts what was uploaded into a folder: the content of a tar archive, which may be compressed by gzip or zstd, or a file
 * of rows by itself. The kind is told by the first bytes, as names may lie.
 */
export async function openUpload(file: string, folder: string, bounds: UnpackBounds): Promise<void> {
  await mkdir(folder, { mode: 0o700 })
  const head = await beginningOf(file)
  if (head.subarray(0, 4).equals(parquetMark)) return rename(file, join(folder, 'rows.parquet'))
  if (head.subarray(0, 4).equals(zipMark))
    throw new TaskProblem('is a zip archive: send a tar archive, which "carrel datasets add <folder>" makes')
  if (/^\s*\{/.test(head.toString('latin1'))) return rename(file, join(folder, 'rows.jsonl'))
  await unpack(folder, plainBytes(file, head), bounds)
}

const parquetMark = Buffer.from('PAR1')
const zipMark = Buffer.from('PK\u0003\u0004', 'latin1')
const zstdMark = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

async function beginningOf(file: string): Promise<Buffer> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(512), 0, 512, 0)
    if (bytesRead === 0) throw new TaskProblem('is empty')
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

async function* plainBytes(file: string, head: Buffer): AsyncGenerator<Uint8Array> {
  const source = createReadStream(file, { highWaterMark: 256 * 1024 })
  const isGzip = head[0] === 0x1f && head[1] === 0x8b
  const isZstd = head.subarray(0, 4).equals(zstdMark)
  const decoder = isGzip ? createGunzip() : isZstd ? createZstdDecompress() : undefined
  try {
    if (decoder) source.on('error', (error) => decoder.destroy(error))
    yield* decoder ? source.pipe(decoder) : source
  } catch (error) {
    throw refusalOf(error)
  } finally {
    source.destroy()
    decoder?.destroy()
  }
}
