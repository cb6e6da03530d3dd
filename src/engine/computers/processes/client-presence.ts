import { limits } from '../../../config/limits.ts'
import type { ProcessHandle } from '../../../drivers/driver.ts'
import { endAbandoned } from './end-abandoned.ts'

/**
 * Tracks which processes have a client at the other end of a connection. When the last connection to a process is cut,
 * a client has a minute in which it can reconnect; then the process ends, as it would when its terminal is closed.
 */
export class ClientPresence {
  readonly #clients = new Map<string, number>()
  readonly #graceTimers = new Map<string, NodeJS.Timeout>()

  /** Counts a client as connected to the process until the returned function is called. */
  connect(process: ProcessHandle): () => void {
    const { processId } = process
    this.#endGracePeriod(processId)
    this.#clients.set(processId, (this.#clients.get(processId) ?? 0) + 1)
    let isDisconnected = false
    return () => {
      if (isDisconnected) return
      isDisconnected = true
      const others = (this.#clients.get(processId) ?? 1) - 1
      if (others > 0) return void this.#clients.set(processId, others)
      this.#clients.delete(processId)
      this.startGracePeriod(process)
    }
  }

  /** Starts the grace period of a process that has no client now. Does nothing for a process that does not need one. */
  startGracePeriod(process: ProcessHandle): void {
    if (process.meta.attended !== true || process.exit || this.#graceTimers.has(process.processId)) return
    const timer = setTimeout(() => void endAbandoned(process), limits.abandonedExecMs).unref()
    this.#graceTimers.set(process.processId, timer)
    void process.wait().then(() => this.#endGracePeriod(process.processId))
  }

  #endGracePeriod(processId: string): void {
    clearTimeout(this.#graceTimers.get(processId))
    this.#graceTimers.delete(processId)
  }
}
