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
