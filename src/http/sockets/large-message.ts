import type { Duplex } from 'node:stream'
import { limits } from '../../config/limits.ts'
import type { MemoryBudget, Release } from '../../engine/budgets/memory-budget.ts'
import type { ClientSocket } from './client-socket.ts'

interface Options {
  memory: MemoryBudget
  accountId: string
  socket: ClientSocket
  connection: Duplex
  maxMessageBytes: number
}

/**
 * Admits a large message on a WebSocket once there is memory for it. Memory is reserved in two steps, because the size
 * of a message is only known at its end. The connection is not read meanwhile, and is closed when memory stays short
 * for too long. Whatever handles the message then counts it with `socket.takeMemory()`.
 */
export function watchLargeMessages({ memory, accountId, socket, connection, maxMessageBytes }: Options): void {
  const steps = [limits.wholeBodyBytes, limits.mediumMessageBytes, maxMessageBytes] as const
  let bytes = 0
  let step = 0
  let isReserving = false
  let release: Release | undefined
  const releaseMemory = () => {
    release?.()
    release = undefined
  }
  socket.takeMemory = (messageBytes) => {
    releaseMemory()
    return messageBytes > limits.wholeBodyBytes ? memory.count(accountId, messageBytes * copies) : undefined
  }
  const reserve = async () => {
    isReserving = true
    socket.hold('memory', true)
    releaseMemory()
    try {
      release = await memory.reserve(accountId, steps[++step]! * copies)
      if (socket.readyState !== socket.OPEN) releaseMemory()
    } catch {
      socket.close(1013, 'too many large messages at once: try again')
    } finally {
      isReserving = false
      socket.hold('memory', false)
    }
  }
  // The listener is first, so that it counts the bytes before they become a message.
  connection.prependListener('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (!isReserving && step < steps.length - 1 && bytes > steps[step]!) void reserve()
  })
  socket.prependListener('message', () => {
    bytes = 0
    step = 0
    // The bytes of small messages do not add up to a large one.
    queueMicrotask(releaseMemory)
  })
  socket.on('close', releaseMemory)
}

/** A message is held as bytes, as text, and as the parsed value. */
const copies = 3
