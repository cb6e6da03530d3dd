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

/** The same for a connection that has become another protocol's; one on which nothing went either way for `quietMs` is cut too. */
export function cutStalledConnection(socket: Socket, stallMs: number, quietMs: number): void {
  let traffic = -1
  let sinceMs = 0
  socket.setTimeout(stallMs)
  // Each time: a callback of `setTimeout` is called once.
  socket.on('timeout', () => {
    const now = performance.now()
    const passed = socket.bytesRead + socket.bytesWritten
    if (passed !== traffic) [traffic, sinceMs] = [passed, now - stallMs]
    if (now - sinceMs >= quietMs) socket.destroy()
    else cutIfWaiting(socket, stallMs)
  })
}

/** Bytes that leave begin the time of a socket anew, also where a write is only half through. */
function cutIfWaiting(socket: Socket, stallMs: number): void {
  if (socket.writableLength > 0) socket.destroy()
  else socket.setTimeout(stallMs)
}
