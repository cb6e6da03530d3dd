import type { Logger } from 'pino'
import { messageOf } from '../db/message-of.ts'

/**
 * Runs a task periodically, never twice at a time. Returns a function that stops it and waits for a run under way. A task
 * that fails in the same way again and again is logged once.
 */
export function repeat(log: Logger, everyMs: number, work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let logged: string | undefined
  const fail = (error: unknown) => {
    if (messageOf(error) === logged) return
    logged = messageOf(error)
    log.error({ err: error }, 'a periodic task failed')
  }
  const timer = setInterval(() => {
    running ??= work()
      .then(() => {
        logged = undefined
      })
      .catch(fail)
      .finally(() => {
        running = undefined
      })
  }, everyMs)
  return async () => {
    clearInterval(timer)
    await running
  }
}
