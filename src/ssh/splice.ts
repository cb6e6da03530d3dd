import type { Duplex, Readable, Writable } from 'node:stream'
import { releaseWritten } from '../release-chunk.ts'

/** Passes bytes both ways between a connection and a program until either ends. A slow reader slows the other down. */
export function splice(socket: Duplex, { stdin, stdout }: { stdin: Writable; stdout: Readable }): void {
  pass(socket, stdin)
  pass(stdout, socket)
}

/** As `pipe`, but frees each chunk once it is written: left to the garbage collector they cost most of a transfer. */
function pass(from: Readable, to: Writable): void {
  from.on('data', (chunk: Buffer) => {
    if (!to.write(chunk, releaseWritten(chunk)) && !to.destroyed) from.pause()
  })
  to.on('drain', () => from.resume())
  to.once('close', () => from.resume())
  from.once('end', () => to.end())
}
