import type { Duplex } from 'node:stream'
import { limits } from '../config/limits.ts'

/**
 * Sends the last answer of a connection and closes it: when the client has taken that and closes too, else a moment later. What it
 * still sends is dropped; a connection that is closed with something unread would take the answer back.
 */
export function sendFinalResponse(connection: Duplex, answer: string): void {
  const timer = setTimeout(() => connection.destroy(), limits.finalResponseMs)
  connection.once('close', () => clearTimeout(timer))
  connection.on('error', () => {})
  connection.end(answer)
  connection.resume()
}
