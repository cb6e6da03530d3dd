import type { OutputPiece, ProcessHandle } from '../../engine/types.ts'
import { Slices } from '../../slices.ts'

export interface Piece {
  stream: 'stdout' | 'stderr'
  /** Consecutive parts, in order. */
  data: Buffer[]
  /** The cursors before and after the piece; reading continues at `cursor`. */
  start: number
  cursor: number
  /** True for the first piece after dropped output. */
  truncated: boolean
}

interface Options {
  cursor: number
  /** Ends the reading only, not the process. */
  signal: AbortSignal
  /** Records are combined up to this size, at most 1 MiB; a single record may be larger. */
  maxBytes: number
  /** How many bytes are read at a time, and stay in memory while the client receives them. */
  readBytes: number
}

/**
 * Yields a process's output as it arrives, with neighbouring records of a stream combined. Ends with the process. The
 * data of a piece are borrowed buffers: they are valid until the next piece is requested.
 */
export async function* processPieces(
  process: ProcessHandle,
  { cursor, signal, maxBytes, readBytes }: Options,
): AsyncGenerator<Piece> {
  const slices = new Slices(String(process.meta['accountId']))
  for await (const chunk of process.follow(cursor, signal, { borrowed: true, maxChunkBytes: readBytes })) {
    let { truncated } = chunk
    for (const [first, ...rest] of runs(chunk.records, maxBytes)) {
      const data = [first, ...rest].map((record) => record.data)
      yield { stream: first.stream, data, start: first.start, cursor: (rest.at(-1) ?? first).cursor, truncated }
      truncated = false
      // A fast client that accepts one small piece after another would otherwise keep the event loop to itself.
      if (slices.isOver) await slices.next()
    }
    // All of the output was dropped.
    if (truncated) yield { stream: 'stdout', data: [], start: chunk.cursor, cursor: chunk.cursor, truncated }
  }
}

/** Groups neighbouring records of the same stream, up to `maxBytes` a group. */
function runs(records: OutputPiece[], maxBytes: number): [OutputPiece, ...OutputPiece[]][] {
  const found: [OutputPiece, ...OutputPiece[]][] = []
  let bytes = 0
  for (const record of records) {
    const last = found.at(-1)
    bytes += record.data.length
    if (last && last[0].stream === record.stream && bytes <= maxBytes) last.push(record)
    else {
      found.push([record])
      bytes = record.data.length
    }
  }
  return found
}
