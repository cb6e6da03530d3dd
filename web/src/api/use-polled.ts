import { useCallback, useEffect, useRef, useState } from 'react'
import { messageOf } from './request.ts'

export interface Polled<T> {
  /** Undefined until the first answer. */
  value: T | undefined
  /** Why the last attempt failed; '' if it did not. */
  error: string
  refresh: () => void
}

/**
 * Returns the answer of `get`, fetched anew every `intervalMs` while `active` and while the tab is visible. One request
 * is under way at a time: a slow network makes the interval longer.
 */
export function usePolled<T>(get: (signal: AbortSignal) => Promise<T>, intervalMs: number, active = true): Polled<T> {
  const [value, setValue] = useState<T>()
  const [error, setError] = useState('')
  const look = useRef(() => {})

  useEffect(() => {
    if (!active) return
    const ended = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let busy = false
    const run = async () => {
      clearTimeout(timer)
      if (busy || document.hidden) return
      busy = true
      try {
        const answer = await get(ended.signal)
        if (ended.signal.aborted) return
        setValue(answer)
        setError('')
      } catch (failure) {
        if (!ended.signal.aborted) setError(messageOf(failure))
      }
      busy = false
      if (!ended.signal.aborted) timer = setTimeout(run, intervalMs)
    }
    look.current = () => void run()
    const onVisible = () => void run()
    document.addEventListener('visibilitychange', onVisible)
    void run()
    return () => {
      ended.abort()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', onVisible)
    }
  }, [get, intervalMs, active])

  const refresh = useCallback(() => look.current(), [])
  return { value, error, refresh }
}
