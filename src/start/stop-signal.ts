/**
 * Returns a signal that aborts at the first SIGTERM or SIGINT, with the signal's name as the reason. Later signals do
 * nothing: npm and the terminal both deliver what was typed once.
 */
export function stopSignal(): AbortSignal {
  const stopped = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopped.abort(signal))
  return stopped.signal
}
