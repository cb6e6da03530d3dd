import type { Duplex } from 'node:stream'
import type { ClientSocket } from './client-socket.ts'

interface Options {
  /** Returns what of the client's bytes is passed on. Throws for bytes that end the connection. */
  filter?: (bytes: Buffer) => Buffer | undefined
}

/**
 * Passes bytes between the binary messages of a WebSocket and a connection. Each side waits for the other: neither is
 * read while much is still to be sent. Resolves when the connection ends, or the client has left; rejects when the
 * connection fails, or the client sends what `filter` throws at.
 */
export function relaySocket(socket: ClientSocket, connection: Duplex, { filter }: Options = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      try {
        if (!isBinary) throw new Error('the client sent text')
        const passed = filter ? filter(data) : data
        if (!passed || passed.length === 0 || connection.destroyed || connection.write(passed)) return
        socket.hold('connection', true)
      } catch (error) {
        connection.destroy(error as Error)
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
