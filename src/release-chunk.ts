/**
 * Gives the memory of a chunk back at once, which is empty from then on; for the one that holds it last. Chunks that are left to the
 * garbage collector pile up to tens of megabytes in a fast transfer, and make it collect all that the server holds again and again. A
 * small chunk, or one that is a part of something larger, is left to it.
 */
export function releaseChunk(chunk: Uint8Array): void {
  const { buffer, byteLength } = chunk
  if (byteLength < minBytes || byteLength !== buffer.byteLength) return
  if (buffer instanceof ArrayBuffer) buffer.transfer(0)
}

/** For a write's end: the chunk was sent, unless it failed. */
export function releaseWritten(chunk: Uint8Array): (error?: Error | null) => void {
  return (error) => {
    if (!error) releaseChunk(chunk)
  }
}

/** Above everything that a parser may keep for itself. */
const minBytes = 4096
