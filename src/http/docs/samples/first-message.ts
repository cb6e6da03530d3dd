import type { Operation } from '../document.ts'

/** Returns the message that the samples of a WebSocket send: one that runs a program. */
export function firstMessage({ messages }: Operation): Record<string, unknown> {
  const found = messages.find(({ name }) => name === 'exec' || name === 'start') ?? messages[0]
  return (found?.example ?? {}) as Record<string, unknown>
}

/** Returns the type of the message that answers it; undefined if the server closes the connection at the end. */
export function lastType({ messages }: Operation): string | undefined {
  const found = messages.find(({ name }) => name === 'exec')
  return found && 'exec_result'
}
