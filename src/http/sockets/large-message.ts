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
 * Lets a large message come on a WebSocket when there is memory for it, in two steps, since how large it is shows at its end. The connection is not
 * read meanwhile, and closed when there is none for long. Who handles the message has it counted by `socket.takeMemory()`.
 */
export function watchLargeMessages({ memory, accountId, socket, connection, maxMessageBytes }: Options): void {
  const steps = [limits.wholeBodyBytes, limits.mediumMessageBytes, maxMessageBytes] as const
  let bytes = 0
  let step = 0
  let isAsking = false
  let release: Release | undefined
  const giveBack = () => {
    release?.()
    release = undefined
  }
  socket.takeMemory = (messageBytes) => {
    giveBack()
    return messageBytes > limits.wholeBodyBytes ? memory.count(accountId, messageBytes * copies) : undefined
  }
  const ask = async () => {
    isAsking = true
    socket.hold('memory', true)
    giveBack()
    try {
      release = await memory.reserve(accountId, steps[++step]! * copies)
      if (socket.readyState !== socket.OPEN) giveBack()
    } catch {
      socket.close(1013, 'too many large messages at once: try again')
    } finally {
      isAsking = false
      socket.hold('memory', false)
    }
  }
  // Before the bytes become a message.
  connection.prependListener('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (!isAsking && step < steps.length - 1 && bytes > steps[step]!) void ask()
  })
  socket.prependListener('message', () => {
    bytes = 0
    step = 0
    // Many small ones are no large one.
    queueMicrotask(giveBack)
  })
  socket.on('close', giveBack)
}

/** The bytes, the text of them, and what is made of that. */
const copies = 3
