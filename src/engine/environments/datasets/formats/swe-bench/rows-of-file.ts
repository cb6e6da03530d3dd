import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { parquetMetadataAsync, parquetReadObjects, snappyUncompress, type Compressors } from 'hyparquet'
import { limits } from '../../../../../config/limits.ts'
import { TaskProblem } from '../task-problem.ts'

export interface Row {
  /** The line of the file, or the number of the row, from 1. */
  line: number
  values: unknown
}

/** Yields the rows of a JSON Lines or Parquet file. Throws a `TaskProblem` with the line of a mistake. */
export function rowsOfFile(path: string, name: string): AsyncGenerator<Row> {
  return name.endsWith('.parquet') ? parquetRows(path, name) : jsonRows(path, name)
}

async function* jsonRows(path: string, name: string): AsyncGenerator<Row> {
  const lines = createInterface({ input: Readable.from(boundedLines(path, name)), crlfDelay: Infinity })
  let line = 0
  for await (const text of lines) {
    line += 1
    if (text.trim() === '') continue
    let values: unknown
    try {
      values = JSON.parse(text)
    } catch {
      throw new TaskProblem('is not JSON', { file: name, line })
    }
    yield { line, values }
  }
}

/** Yields the bytes of a file. Fails at a line that no task is as long as, before the line is in memory. */
async function* boundedLines(path: string, name: string): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    bytes = chunk.includes(0x0a) ? chunk.length - chunk.lastIndexOf(0x0a) : bytes + chunk.length
    if (bytes > 4 * limits.taskBytes) throw new TaskProblem('has a line that is too long', { file: name })
    yield chunk
  }
}

/** Rows that are decoded at once. */
const rowsAtOnce = 200

async function* parquetRows(path: string, name: string): AsyncGenerator<Row> {
  const handle = await open(path)
  try {
    const { size: byteLength } = await handle.stat()
    const file = {
      byteLength,
      slice: async (start: number, end = byteLength) => {
        if (end - start > maxPageBytes) throw new TaskProblem('has a column that is too long', { file: name })
        const buffer = Buffer.alloc(Math.max(0, end - start))
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, start)
        return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + bytesRead)
      },
    }
    const metadata = await parquetMetadataAsync(file)
    const count = Number(metadata.num_rows)
    if (count > limits.samplesPerDataset)
      throw new TaskProblem(`has more than ${limits.samplesPerDataset} rows`, { file: name })
    for (let rowStart = 0; rowStart < count; rowStart += rowsAtOnce) {
      const rowEnd = Math.min(count, rowStart + rowsAtOnce)
      const rows = await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd })
      for (const [index, row] of rows.entries()) yield { line: rowStart + index + 1, values: plain(row) }
    }
  } catch (error) {
    if (error instanceof TaskProblem) throw error
    throw new TaskProblem(`cannot be read as Parquet: ${(error as Error).message}`, { file: name })
  } finally {
    await handle.close()
  }
}

/** The longest page, packed or unpacked: a file says how much memory its pages need. */
const maxPageBytes = 256 * 1024 ** 2

const compressors: Compressors = {
  SNAPPY: (input, length) => {
    const output = new Uint8Array(bounded(length))
    snappyUncompress(input, output)
    return output
  },
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: bounded(length) }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: bounded(length) }),
  ZSTD: (input, length) => zstdDecompressSync(input, { maxOutputLength: bounded(length) }),
}

function bounded(length: number): number {
  if (length > maxPageBytes) throw new Error('a page is too long')
  return Math.max(1, length)
}

/** Returns a row as JSON has it: 64-bit numbers as numbers, times as texts. */
function plain(row: object): unknown {
  return JSON.parse(JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)))
}
