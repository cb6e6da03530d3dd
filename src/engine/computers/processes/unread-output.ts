import type { ProcessHandle } from '../../../drivers/driver.ts'

/**
 * Reads the output of processes whose clients have left. Such a process waits for whoever reads its output, so that no
 * client misses any; without a client nobody reads it, and the process must not wait for ever. Its newest output is kept.
 */
export class UnreadOutput {
  readonly #clients = new Map<string, number>()
  readonly #readers = new Map<string, AbortController>()

  /** Counts a client as a reader of the process until the returned function is called. */
  connect(process: ProcessHandle): () => void {
    const { processId } = process
    this.#readers.get(processId)?.abort()
    this.#clients.set(processId, (this.#clients.get(processId) ?? 0) + 1)
    let isConnected = true
    return () => {
      if (!isConnected) return
      isConnected = false
      const others = this.#clients.get(processId)! - 1
      if (others > 0) return void this.#clients.set(processId, others)
      this.#clients.delete(processId)
      this.read(process)
    }
  }

  /** Reads the output of a process that has no client, until one connects. Does nothing for one that waits for nobody. */
  read(process: ProcessHandle): void {
    const { processId, meta, exit } = process
    if (meta.detached !== true || exit || this.#clients.has(processId)) return
    this.#readers.get(processId)?.abort()
    const reader = new AbortController()
    this.#readers.set(processId, reader)
    void readToEnd(process, reader.signal).finally(() => {
      if (this.#readers.get(processId) === reader) this.#readers.delete(processId)
    })
  }
}

/** A process whose output cannot be read is one whose monitor does not answer, or that the server has let go of. */
async function readToEnd(process: ProcessHandle, signal: AbortSignal): Promise<void> {
  try {
    const chunks = process.follow(await process.outputEnd(), signal, { borrowed: true })[Symbol.asyncIterator]()
    while (!(await chunks.next()).done);
  } catch {}
}
