import { constants } from 'node:os'

export type Signal = NodeJS.Signals

/** What these do where no program says otherwise. */
const passedOver = new Set<Signal>(['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH'])

export function endsByDefault(signal: Signal): boolean {
  return !passedOver.has(signal)
}

export function signalNumber(signal: Signal): number {
  return constants.signals[signal]
}

/** `TERM`, `SIGTERM` or `15`; undefined for what is none. */
export function parseSignal(text: string): Signal | undefined {
  const names = Object.keys(constants.signals) as Signal[]
  const name = text.toUpperCase()
  return names.find(
    (signal) => signal === name || signal === `SIG${name}` || String(constants.signals[signal]) === text,
  )
}
