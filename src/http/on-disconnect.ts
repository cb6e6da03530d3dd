import type { Socket } from 'node:net'

const waiting = new WeakMap<Socket, Set<() => void>>()

/**
 * Calls back when a client's connection closes; at once if it is closed already. Returns a function that cancels this.
 * The connection is watched because a response that is queued after another one on it emits no `close` of its own.
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
