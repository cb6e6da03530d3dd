import { limits } from '../../config/limits.ts'
import type { ProcessHandle } from '../../drivers/driver.ts'

/**
 * Processes that are run for somebody at the other end of a connection. When the connection is cut they get a minute in
 * which their client can come back; then they are ended, as by the closing of a terminal.
 */
export class Attendance {
  readonly #alone = new Map<string, NodeJS.Timeout>()

  /** Nobody is there for it now. Processes that need nobody are left alone. */
  left(process: ProcessHandle): void {
    if (process.meta.attended !== true || process.exit || this.#alone.has(process.processId)) return
    const timer = setTimeout(() => void this.#end(process), limits.abandonedExecMs).unref()
    this.#alone.set(process.processId, timer)
    void process.wait().then(() => this.cameBack(process.processId))
  }

  cameBack(processId: string): void {
    clearTimeout(this.#alone.get(processId))
    this.#alone.delete(processId)
  }

  async #end(process: ProcessHandle): Promise<void> {
    await process.kill('SIGHUP', 'tree').catch(() => {})
    setTimeout(() => void process.kill('SIGKILL', 'tree').catch(() => {}), limits.stopGraceMs).unref()
  }
}
