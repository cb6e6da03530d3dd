/**
 * Aborts at the first SIGTERM or SIGINT, with the signal's name as its reason. Later ones do nothing: npm and a terminal
 * both hand on what was typed once.
 */
export function stopSignal(): AbortSignal {
  const stopped = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopped.abort(signal))
  return stopped.signal
}
