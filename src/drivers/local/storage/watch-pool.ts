import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { limits } from '../../../config/limits.ts'
import type { HelperStates } from '../../../helper-states.ts'

/**
 * Reports whether the pool can be written and answers: the kernel makes a file system read-only that is broken. One look at
 * a time, and none waits for another. The returned function ends it.
 */
export function watchPool(directory: string, helpers: HelperStates): () => void {
  let askedAtMs: number | undefined
  helpers.report('storage')
  const look = () => {
    if (askedAtMs !== undefined) {
      if (Date.now() - askedAtMs > limits.poolAnswerMs) helpers.report('storage', 'it does not answer')
      return
    }
    askedAtMs = Date.now()
    // Asks for no block of the disk where the directory was used before.
    void access(directory, constants.W_OK)
      .then(
        () => helpers.report('storage'),
        ({ code }: NodeJS.ErrnoException) =>
          helpers.report('storage', code === 'EROFS' ? 'it can only be read' : 'it cannot be used'),
      )
      .finally(() => {
        askedAtMs = undefined
      })
  }
  const timer = setInterval(look, limits.poolCheckMs).unref()
  return () => clearInterval(timer)
}
