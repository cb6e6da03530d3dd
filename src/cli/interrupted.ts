import { constants } from 'node:os'

/** The user pressed Ctrl-C. */
export class Interrupted extends Error {}

/** A signal has stopped the work, and what it would have left is removed. The exit code is 128 + n. */
export class StoppedBySignal extends Error {
  readonly exitCode: number

  constructor(signal: 'SIGINT' | 'SIGTERM', message: string) {
    super(message)
    this.exitCode = 128 + constants.signals[signal]
  }
}

/** Returns what aborts at the first SIGINT or SIGTERM, with a `StoppedBySignal` whose message is made of its name. */
export function stopOnSignal(message: (name: string) => string): AbortController {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => stop.abort(new StoppedBySignal(name, message(name))))
  return stop
}
