import type { ProcessHandle, StopReason } from '../../driver.ts'

type StoppedListener = (id: string, reason: StopReason) => void
type OutputListener = (process: ProcessHandle) => void

/** The listeners of a driver. */
export class DriverListeners {
  readonly #stopped: StoppedListener[] = []
  readonly #output: OutputListener[] = []

  onStopped(listener: StoppedListener): void {
    this.#stopped.push(listener)
  }

  onOutput(listener: OutputListener): void {
    this.#output.push(listener)
  }

  stopped(id: string, reason: StopReason): void {
    for (const listener of this.#stopped) listener(id, reason)
  }

  output(process: ProcessHandle): void {
    for (const listener of this.#output) listener(process)
  }
}
