import type { Socket } from 'node:net'

const waiting = new WeakMap<Socket, Set<() => void>>()

/**
 * Calls back when a client's connection is closed, at once if it is already; the returned function calls that off. A
 * response that waits behind another one on the same connection has no `close` of its own.
 */
export function onDisconnect(connection: Socket, callback: () => void): () => void {
  if (connection.destroyed) {
    callback()
    return () => {}
  }
  const callbacks = waiting.get(connection) ?? watch(connection)
  callbacks.add(callback)
  return () => void callbacks.delete(callback)
}

/** One listener for a connection, however many requests are under way on it. */
function watch(connection: Socket): Set<() => void> {
  const callbacks = new Set<() => void>()
  waiting.set(connection, callbacks)
  connection.once('close', () => {
    for (const callback of callbacks) callback()
  })
  return callbacks
}
