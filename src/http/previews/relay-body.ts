import type { IncomingMessage, OutgoingMessage } from 'node:http'
import { releaseChunk } from '../../release-chunk.ts'

/**
 * Sends a body and its trailers on as fast as the other end takes them. What was sent is given back at once: the memory of
 * a transfer is what is under way. A break at either end is the caller's to see.
 */
export function relayBody(from: IncomingMessage, to: OutgoingMessage, onFailure: (error: unknown) => void): void {
  to.on('drain', () => from.resume())
  from.on('data', (chunk: Buffer) => {
    if (to.destroyed) return
    const goesOn = to.write(chunk, (error) => {
      if (!error) releaseChunk(chunk)
    })
    if (!goesOn) from.pause()
  })
  from.on('end', () => {
    try {
      if (from.rawTrailers.length > 0) to.addTrailers(from.trailers)
      to.end()
    } catch (error) {
      onFailure(error)
    }
  })
}
