import { constants } from 'node:os'

export type Signal = NodeJS.Signals

/** Signals that are ignored by default. */
const ignoredByDefault = new Set<Signal>(['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH'])

export function endsByDefault(signal: Signal): boolean {
  return !ignoredByDefault.has(signal)
}

export function signalNumber(signal: Signal): number {
  return constants.signals[signal]
}

/** Returns the signal for `TERM`, `SIGTERM` or `15`; undefined for an unknown one. */
export function parseSignal(text: string): Signal | undefined {
  const names = Object.keys(constants.signals) as Signal[]
  const name = text.toUpperCase()
  return names.find(
    (signal) => signal === name || signal === `SIG${name}` || String(constants.signals[signal]) === text,
  )
}
