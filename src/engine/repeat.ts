import type { Logger } from 'pino'

/** Runs a task periodically, never twice at a time. Returns a function that stops it and waits for a run under way. */
export function repeat(log: Logger, everyMs: number, work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  const timer = setInterval(() => {
    running ??= work()
      .catch((error: unknown) => log.error({ err: error }, 'a periodic task failed'))
      .finally(() => {
        running = undefined
      })
  }, everyMs)
  return async () => {
    clearInterval(timer)
    await running
  }
}
