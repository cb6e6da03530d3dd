import { setTimeout as delay } from 'node:timers/promises'

/** Rejects when something takes longer, so that what hangs names itself. */
export async function within<T>(timeoutMs: number, work: Promise<T>, what = 'it'): Promise<T> {
  const tooLate = new AbortController()
  try {
    return await Promise.race([
      work,
      delay(timeoutMs, undefined, { signal: tooLate.signal }).then(() => {
        throw new Error(`${what} took longer than ${timeoutMs} ms`)
      }),
    ])
  } finally {
    tooLate.abort()
  }
}
