import { once } from 'node:events'
import { PassThrough, type Readable } from 'node:stream'
import { limits } from '../../config/limits.ts'
import { CarrelError } from '../../errors.ts'
import { PeerPatience } from './peer-patience.ts'

interface Options {
  /** Ends the stream with the reason of the abort. */
  signal: AbortSignal
  stallMs?: number
}

/**
 * Returns a stream of what a generator makes, and a promise that resolves once the generator has ended: when everything
 * is read, when the reader destroys the stream or reads too slowly (`PeerPatience`), when `signal` aborts.
 */
export function toReadable(
  make: (signal: AbortSignal) => AsyncIterable<Buffer>,
  { signal, stallMs = limits.stalledTransferMs }: Options,
): { stream: Readable; ended: Promise<void> } {
  const stream = new PassThrough({ highWaterMark: bufferedBytes })
  const closed = new AbortController()
  stream.once('close', () => closed.abort())
  const isOver = AbortSignal.any([signal, closed.signal])
  const ended = write(stream, make(isOver), isOver, stallMs).then(
    () => void stream.end(),
    (error: unknown) => void stream.destroy(signal.aborted ? (signal.reason as Error) : (error as Error)),
  )
  return { stream, ended }
}

async function write(
  stream: PassThrough,
  chunks: AsyncIterable<Buffer>,
  isOver: AbortSignal,
  stallMs: number,
): Promise<void> {
  const patience = new PeerPatience(stallMs)
  for await (const chunk of chunks) {
    isOver.throwIfAborted()
    patience.earn(chunk.length)
    if (stream.write(chunk)) continue
    await patience.await(once(stream, 'drain', { signal: isOver }), unread)
  }
}

function unread(): CarrelError {
  return new CarrelError('unavailable', 'Cannot export the snapshot: nobody reads it, or too slowly')
}

const bufferedBytes = 256 * 1024
