import { limits } from '../../../config/limits.ts'
import type { ProcessHandle } from '../../../drivers/driver.ts'

/**
 * Processes that are run for somebody at the other end of a connection. When the last connection to one is cut it gets a
 * minute in which a client can come back; then it is ended, as by the closing of a terminal.
 */
export class ClientPresence {
  readonly #present = new Map<string, number>()
  readonly #alone = new Map<string, NodeJS.Timeout>()

  /** Somebody is there for it until the returned function is called. */
  attend(process: ProcessHandle): () => void {
    const { processId } = process
    this.#stopWaiting(processId)
    this.#present.set(processId, (this.#present.get(processId) ?? 0) + 1)
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      const left = (this.#present.get(processId) ?? 1) - 1
      if (left > 0) return void this.#present.set(processId, left)
      this.#present.delete(processId)
      this.leftAlone(process)
    }
  }

  /** Nobody is there for it now. Processes that need nobody are left alone. */
  leftAlone(process: ProcessHandle): void {
    if (process.meta.attended !== true || process.exit || this.#alone.has(process.processId)) return
    const timer = setTimeout(() => void this.#end(process), limits.abandonedExecMs).unref()
    this.#alone.set(process.processId, timer)
    void process.wait().then(() => this.#stopWaiting(process.processId))
  }

  #stopWaiting(processId: string): void {
    clearTimeout(this.#alone.get(processId))
    this.#alone.delete(processId)
  }

  async #end(process: ProcessHandle): Promise<void> {
    await process.kill('SIGHUP', 'tree').catch(() => {})
    setTimeout(() => void process.kill('SIGKILL', 'tree').catch(() => {}), limits.stopGraceMs).unref()
  }
}
