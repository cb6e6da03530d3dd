import type { OutputPiece, ProcessHandle } from '../../engine/types.ts'

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

/** A process's output as it comes, what belongs together in one piece of at most 1 MiB. Ends with the process. */
export async function* processPieces(
  process: ProcessHandle,
  cursor: number,
  signal: AbortSignal,
): AsyncGenerator<Piece> {
  for await (const chunk of process.follow(cursor, signal)) {
    let { truncated } = chunk
    for (const [first, ...rest] of runs(chunk.records)) {
      const data = [first, ...rest].map((record) => record.data)
      yield { stream: first.stream, data, start: first.start, cursor: (rest.at(-1) ?? first).cursor, truncated }
      truncated = false
    }
    // All that there was is gone.
    if (truncated) yield { stream: 'stdout', data: [], start: chunk.cursor, cursor: chunk.cursor, truncated }
  }
}

/** Neighbours of the same stream. */
function runs(records: OutputPiece[]): [OutputPiece, ...OutputPiece[]][] {
  const found: [OutputPiece, ...OutputPiece[]][] = []
  for (const record of records) {
    const last = found.at(-1)
    if (last && last[0].stream === record.stream) last.push(record)
    else found.push([record])
  }
  return found
}
