import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { limits } from '../../../config/limits.ts'
import type { HelperStates } from '../../../helper-states.ts'

/**
 * Reports regularly whether the pool answers and is writable; the kernel turns a damaged file system read-only. A check
 * that hangs is reported, and no second one is started meanwhile. Returns a function that stops the checks.
 */
export function watchPool(directory: string, helpers: HelperStates): () => void {
  let checkedAtMs: number | undefined
  helpers.report('storage')
  const check = () => {
    if (checkedAtMs !== undefined) {
      if (Date.now() - checkedAtMs > limits.poolAnswerMs) helpers.report('storage', 'it does not answer')
      return
    }
    checkedAtMs = Date.now()
    // Reads no block of the disk when the directory is in the cache.
    void access(directory, constants.W_OK)
      .then(
        () => helpers.report('storage'),
        ({ code }: NodeJS.ErrnoException) =>
          helpers.report('storage', code === 'EROFS' ? 'it is read-only' : 'it cannot be used'),
      )
      .finally(() => {
        checkedAtMs = undefined
      })
  }
  const timer = setInterval(check, limits.poolCheckMs).unref()
  return () => clearInterval(timer)
}
