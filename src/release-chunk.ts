/**
 * Frees the memory of a chunk at once and leaves it empty; for the last user of the chunk. In a fast transfer, chunks
 * that are left to the garbage collector pile up to tens of megabytes, and make it collect the whole heap of the server
 * again and again. Small chunks and parts of a larger buffer are left to the garbage collector.
 */
export function releaseChunk(chunk: Uint8Array): void {
  const { buffer, byteLength } = chunk
  if (byteLength < minBytes || byteLength !== buffer.byteLength) return
  if (buffer instanceof ArrayBuffer) buffer.transfer(0)
}

/** Returns a callback for a write that frees the chunk once it is written, and leaves it alone if the write failed. */
export function releaseWritten(chunk: Uint8Array): (error?: Error | null) => void {
  return (error) => {
    if (!error) releaseChunk(chunk)
  }
}

/** Larger than anything that a parser may keep for itself. */
const minBytes = 4096
