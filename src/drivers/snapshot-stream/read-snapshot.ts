import type { Readable } from 'node:stream'
import { limits } from '../../config/limits.ts'
import { CarrelError } from '../../errors.ts'
import type { SnapshotFormat } from '../driver.ts'
import { damaged } from './damaged.ts'
import { StreamBytes } from './stream-bytes.ts'
import {
  digestBytes,
  maxHeaderBytes,
  maxPieceBytes,
  streamMark,
  streamVersion,
  type SnapshotHeader,
} from './stream-format.ts'

interface Options {
  /** The formats that the driver reads. */
  formats: readonly SnapshotFormat[]
  /** Maximum size of the content. */
  maxBytes: number
  /** Called before each piece of the content; throws to end the import. */
  beforePiece?: () => void
  stallMs?: number
}

export interface IncomingSnapshot {
  image: string
  format: SnapshotFormat
  /** The content. It ends only when the stream was complete and intact, and throws otherwise. */
  content: AsyncGenerator<Buffer>
}

/**
 * Reads the head of a snapshot's stream. Throws `invalid_request` for a stream that is no snapshot or of another
 * version or format. The content throws `invalid_request` for a stream that is cut, damaged, or arrives too
 * slowly (`PeerPatience`), and `too_large` beyond `maxBytes`.
 */
export async function readSnapshot(stream: Readable, options: Options): Promise<IncomingSnapshot> {
  const bytes = new StreamBytes(stream, options.stallMs ?? limits.stalledTransferMs)
  const { format, image } = await readHeader(bytes)
  const known = options.formats.find((readable) => readable === format)
  if (known) return { image, format: known, content: contentOf(bytes, options) }
  const readable = options.formats.join(' or ')
  throw new CarrelError(
    'invalid_request',
    `Cannot import the snapshot: its format ${JSON.stringify(format)} is not ${readable}; export it in that format`,
    { details: { formats: [...options.formats] } },
  )
}

async function readHeader(bytes: StreamBytes): Promise<Record<keyof SnapshotHeader, string>> {
  if (!(await bytes.exactly(streamMark.length)).equals(streamMark)) throw damaged('it is not a snapshot')
  const numbers = await bytes.exactly(4)
  const [version, length] = [numbers.readUInt16BE(0), numbers.readUInt16BE(2)]
  if (version !== streamVersion) throw damaged(`version ${version} is unknown here`)
  if (length > maxHeaderBytes) throw damaged('its header is too long')
  const header = parse(await bytes.exactly(length)) as Partial<Record<keyof SnapshotHeader, unknown>> | null
  if (typeof header?.format !== 'string' || typeof header.image !== 'string') throw damaged('its header is incomplete')
  return { format: header.format, image: header.image }
}

function parse(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString())
  } catch (error) {
    throw damaged('its header is not JSON', error)
  }
}

async function* contentOf(bytes: StreamBytes, { maxBytes, beforePiece }: Options): AsyncGenerator<Buffer> {
  let total = 0
  for (;;) {
    const length = (await bytes.exactly(4)).readUInt32BE()
    if (length === 0) break
    if (length > maxPieceBytes) throw damaged('a piece is too long')
    total += length
    if (total > maxBytes)
      throw new CarrelError('too_large', `Cannot import the snapshot: it is larger than ${maxBytes} bytes`, {
        details: { limit: maxBytes },
      })
    beforePiece?.()
    for (let left = length; left > 0;) {
      const part = await bytes.upTo(left)
      left -= part.length
      yield part
    }
  }
  const expected = bytes.digest()
  if (!(await bytes.exactly(digestBytes)).equals(expected)) throw damaged('its checksum is another')
  if (!(await bytes.isAtEnd())) throw damaged('it goes on after its end')
}
