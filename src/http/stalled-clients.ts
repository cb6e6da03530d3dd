import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Cuts the connection of a client that does not read its response: when bytes are waiting and none has left for
 * `stallMs` to twice that time. A response with no bytes waiting can stay silent for any length of time.
 */
export function cutStalledResponse(response: ServerResponse, stallMs: number): void {
  // The next response on the connection sets a timeout of its own.
  response.setTimeout(stallMs, () => {
    if (response.socket) cutIfWaiting(response.socket, stallMs)
  })
}

/**
 * Does the same for a connection that was upgraded to another protocol. Also cuts it when there was no traffic in
 * either direction for `quietMs`.
 */
export function cutStalledConnection(socket: Socket, stallMs: number, quietMs: number): void {
  let traffic = -1
  let sinceMs = 0
  socket.setTimeout(stallMs)
  // A listener, because the callback of `setTimeout` is called only once.
  socket.on('timeout', () => {
    const now = performance.now()
    const passed = socket.bytesRead + socket.bytesWritten
    if (passed !== traffic) [traffic, sinceMs] = [passed, now - stallMs]
    if (now - sinceMs >= quietMs) socket.destroy()
    else cutIfWaiting(socket, stallMs)
  })
}

/** Bytes that leave restart the timeout of a socket, even when a write is only partly done. */
function cutIfWaiting(socket: Socket, stallMs: number): void {
  if (socket.writableLength > 0) socket.destroy()
  else socket.setTimeout(stallMs)
}
