/**
 * Runs `work` with a signal that is aborted when it takes too long or `ended` is aborted. Calls `onAbort` then, while
 * `work` is not done, and never later: what a test file started for those after it, such as a monitor, lives on.
 * @template T
 * @param {{ ended: AbortSignal, limitMs: number, onAbort: () => void }} options
 * @param {(signal: AbortSignal) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withTimeLimit({ ended, limitMs, onAbort }, work) {
  const controller = new AbortController()
  const abort = (/** @type {unknown} */ reason) => {
    controller.abort(reason)
    onAbort()
  }
  const onEnded = () => abort(ended.reason)
  const timer = setTimeout(() => abort(new Error(`It took more than ${limitMs / 60_000} minutes.`)), limitMs)
  ended.addEventListener('abort', onEnded, { once: true })
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
    ended.removeEventListener('abort', onEnded)
  }
}
