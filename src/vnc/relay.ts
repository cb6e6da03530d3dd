import type { Duplex } from 'node:stream'
import { releaseWritten } from '../release-chunk.ts'
import type { ViewerFilter } from './serve-viewer.ts'

interface Ends {
  client: Duplex
  guest: Duplex
  filter: ViewerFilter | undefined
}

/**
 * Passes bytes both ways until either end closes, or the client's is ended. A slow reader slows the other end down.
 */
export function relay({ client, guest, filter }: Ends): void {
  client.on('data', (bytes: Buffer) => {
    if (client.writableEnded) return
    const passed = filter ? filtered(filter, bytes) : bytes
    if (!passed) return void client.destroy()
    if (passed.length > 0 && !guest.write(passed)) client.pause()
  })
  guest.on('drain', () => client.resume())
  guest.on('data', (bytes: Buffer) => {
    if (client.writableEnded) return
    if (!client.write(bytes, releaseWritten(bytes))) guest.pause()
  })
  client.on('drain', () => guest.resume())
  guest.once('end', () => client.end())
  guest.once('close', () => client.end())
  client.once('finish', () => guest.destroy())
  client.once('end', () => guest.destroy())
  client.once('close', () => guest.destroy())
}

/** Returns what of a client's bytes is passed on; undefined for what no client sends. */
function filtered(filter: ViewerFilter, bytes: Buffer): Buffer | undefined {
  try {
    return filter.take(bytes)
  } catch {
    return undefined
  }
}
