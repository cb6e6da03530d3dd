import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Cuts the connection of a client that does not read its answer: when bytes wait for it and none of them left for `stallMs`
 * to twice that. An answer of which nothing waits may be silent for as long as it likes.
 */
export function cutStalledAnswer(response: ServerResponse, stallMs: number): void {
  // What comes behind the answer on the connection sets a time of its own.
  response.setTimeout(stallMs, () => {
    if (response.socket) cutIfWaiting(response.socket, stallMs)
  })
}

/** The same for a connection that has become another protocol's. */
export function cutStalledConnection(socket: Socket, stallMs: number): void {
  socket.setTimeout(stallMs, () => cutIfWaiting(socket, stallMs))
}

/** Bytes that leave begin the time of a socket anew, also where a write is only half through. */
function cutIfWaiting(socket: Socket, stallMs: number): void {
  if (socket.writableLength > 0) socket.destroy()
  else socket.setTimeout(stallMs)
}
