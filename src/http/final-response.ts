import type { Duplex } from 'node:stream'
import { limits } from '../config/limits.ts'

/**
 * Sends the last response on a connection and closes it: as soon as the client closes its side too, or after
 * `limits.finalResponseMs`. Whatever the client still sends is read and dropped, because closing a connection with
 * unread bytes resets it, and the client could lose the response.
 */
export function sendFinalResponse(connection: Duplex, answer: string): void {
  const timer = setTimeout(() => connection.destroy(), limits.finalResponseMs)
  connection.once('close', () => clearTimeout(timer))
  connection.on('error', () => {})
  connection.end(answer)
  connection.resume()
}
