import type { OutputPiece, ProcessHandle } from '../../engine/types.ts'
import { Slices } from '../../slices.ts'

export interface Piece {
  stream: 'stdout' | 'stderr'
  /** In order, one behind the other. */
  data: Buffer[]
  /** The cursor before it, and behind it: where to read on. */
  start: number
  cursor: number
  /** True for the first piece behind output that was dropped. */
  truncated: boolean
}

interface Options {
  cursor: number
  /** Ends the reading alone. */
  signal: AbortSignal
  /** Records go together up to so many bytes; one alone may have more. At most 1 MiB. */
  maxBytes: number
  /** Read at a time, and in memory while the client takes it. */
  readBytes: number
}

/**
 * A process's output as it comes, what belongs together in one piece. Ends with the process. Its bytes are good until the
 * next piece is asked for.
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
      // A fast client takes one small piece after the other, and would have all of the server.
      if (slices.isOver) await slices.next()
    }
    // All that there was is gone.
    if (truncated) yield { stream: 'stdout', data: [], start: chunk.cursor, cursor: chunk.cursor, truncated }
  }
}

/** Neighbours of the same stream, up to so many bytes. */
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
