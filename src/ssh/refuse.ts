import type { Duplex } from 'node:stream'
import { field, uint32 } from '../engine/computers/ssh/wire.ts'

/**
 * Ends a connection with a message that an SSH client shows: the version of a server, and a disconnect (RFC 4253, 11.1)
 * in the clear, as no keys have been exchanged.
 */
export function refuse(socket: Duplex, message: string): void {
  const payload = Buffer.concat([
    Buffer.from([disconnect]),
    uint32(byApplication),
    field(message.slice(0, maxLength)),
    field('en'),
  ])
  const padding = minPadding + (blockBytes - ((5 + payload.length + minPadding) % blockBytes))
  const head = Buffer.concat([uint32(1 + payload.length + padding), Buffer.from([padding])])
  const packet = Buffer.concat([Buffer.from('SSH-2.0-Carrel\r\n'), head, payload, Buffer.alloc(padding)])
  socket.end(packet, () => socket.destroy())
  socket.resume()
}

const disconnect = 1
const byApplication = 11
const minPadding = 4
const blockBytes = 8
const maxLength = 500
