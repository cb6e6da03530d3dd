import type { Duplex } from 'node:stream'
import type { ClientSocket } from './client-socket.ts'

interface Options {
  /** Returns what of the client's bytes is passed on. Throws for bytes that end the connection, with the reason. */
  filter?: (bytes: Buffer) => Buffer | undefined
}

/**
 * Passes bytes between the binary messages of a WebSocket and a connection. Each side waits for the other: neither is
 * read while much is still to be sent. Resolves when the connection ends, or the client has left; rejects when the
 * connection fails. A client that sends text, or what `filter` throws at, is disconnected with 1003.
 */
export function relaySocket(socket: ClientSocket, connection: Duplex, { filter }: Options = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      try {
        if (!isBinary) throw new Error(noText)
        const passed = filter ? filter(data) : data
        if (!passed || passed.length === 0 || connection.destroyed || connection.write(passed)) return
        socket.hold('connection', true)
      } catch (error) {
        // A mistake of the client, which no log has to hear of.
        socket.close(unsupported, (error as Error).message)
        connection.destroy()
      }
    })
    connection.on('drain', () => socket.hold('connection', false))
    connection.on('data', (bytes: Buffer) => {
      if (socket.readyState !== socket.OPEN) return
      socket.send(bytes, { binary: true }, () => {
        if (connection.isPaused() && socket.bufferedAmount < socket.maxBufferedBytes) connection.resume()
      })
      if (socket.bufferedAmount >= socket.maxBufferedBytes) connection.pause()
    })
    socket.once('close', () => connection.destroy())
    connection.on('error', reject)
    connection.once('end', () => connection.destroy())
    connection.once('close', () => {
      socket.hold('connection', false)
      resolve()
    })
  })
}

/** Disconnects a client that sends text to an endpoint which does not take any. */
export function refuseText(socket: ClientSocket): void {
  socket.on('message', (_data: Buffer, isBinary: boolean) => {
    if (!isBinary) socket.close(unsupported, noText)
  })
}

/** RFC 6455: a message of a kind that the endpoint does not take. */
const unsupported = 1003
const noText = 'text messages are not taken here'
