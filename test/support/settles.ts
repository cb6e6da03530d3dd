import { setTimeout as delay } from 'node:timers/promises'

/**
 * Waits for work, and rejects with its name when it hangs. The time only ends work that would never end; it bounds
 * nothing else.
 */
export async function settles<T>(work: Promise<T>, what = 'it', timeoutMs = 90_000): Promise<T> {
  const over = new AbortController()
  try {
    return await Promise.race([
      work,
      delay(timeoutMs, undefined, { signal: over.signal }).then(() => {
        throw new Error(`${what} hangs: it took more than ${timeoutMs / 1000} s`)
      }),
    ])
  } finally {
    over.abort()
  }
}
