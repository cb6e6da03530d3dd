import { createHash } from 'node:crypto'
import { digestName, maxPieceBytes, streamMark, streamVersion, type SnapshotHeader } from './stream-format.ts'

/** Yields the stream of a snapshot around its content. */
export async function* writeSnapshot(header: SnapshotHeader, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const hash = createHash(digestName)
  const start = headOf(header)
  hash.update(start)
  yield start
  for await (const chunk of content)
    for (let at = 0; at < chunk.length; at += maxPieceBytes) {
      const piece = chunk.subarray(at, at + maxPieceBytes)
      const length = uint32(piece.length)
      hash.update(length).update(piece)
      yield length
      yield piece
    }
  const end = uint32(0)
  yield Buffer.concat([end, hash.update(end).digest()])
}

function headOf(header: SnapshotHeader): Buffer {
  const json = Buffer.from(JSON.stringify(header))
  const numbers = Buffer.alloc(4)
  numbers.writeUInt16BE(streamVersion, 0)
  numbers.writeUInt16BE(json.length, 2)
  return Buffer.concat([streamMark, numbers, json])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
