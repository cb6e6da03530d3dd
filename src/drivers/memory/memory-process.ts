import { CarrelError } from '../../errors.ts'
import { limits } from '../../config/limits.ts'
import type { EndReason, OutputChunk, ProcessExit, ProcessHandle } from '../driver.ts'
import type { RunProcess } from './run-process.ts'

/** A process as one server sees it: after that server has ended, its handle reports nothing more. */
export class MemoryProcess implements ProcessHandle {
  readonly processId: string
  readonly computerId: string
  readonly pid: number
  readonly startedAtMs: number
  readonly timeoutMs: number | undefined
  readonly meta: Record<string, unknown>
  readonly unresponsive = false
  readonly #process: RunProcess
  readonly #isConnected: () => boolean

  constructor(process: RunProcess, isConnected: () => boolean) {
    this.processId = process.processId
    this.computerId = process.computerId
    this.pid = process.pid
    this.startedAtMs = process.startedAtMs
    this.timeoutMs = process.timeoutMs
    this.meta = process.meta
    this.#process = process
    this.#isConnected = isConnected
  }

  get exit(): ProcessExit | undefined {
    return this.#process.exit
  }

  wait(): Promise<ProcessExit> {
    const { promise, resolve } = Promise.withResolvers<ProcessExit>()
    void this.#process.ended.then((exit) => {
      if (this.#isConnected()) resolve(exit)
    })
    return promise
  }

  async *follow(
    from: number,
    signal?: AbortSignal,
    { maxChunkBytes = limits.outputReadBytes }: { borrowed?: boolean; maxChunkBytes?: number } = {},
  ): AsyncIterable<OutputChunk> {
    const process = this.#process
    process.output.check(from)
    const aborted = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
    let cursor = from
    process.followers++
    try {
      while (!signal?.aborted) {
        process.markRead(cursor)
        const { changed } = process
        const chunk = this.#read(cursor, maxChunkBytes)
        cursor = chunk.cursor
        if (chunk.records.length > 0 || chunk.done) yield chunk
        if (chunk.done) return
        if (chunk.records.length === 0) await Promise.race([changed, aborted])
      }
    } finally {
      process.followers--
    }
  }

  output(cursor: number): OutputChunk {
    this.#process.output.check(cursor)
    return this.#read(cursor, limits.outputReadBytes)
  }

  async outputEnd(): Promise<number> {
    return this.#process.output.end
  }

  async write(data: Uint8Array): Promise<void> {
    if (this.exit) throw this.#refusal('write to', 'it has ended')
    if (!this.#process.isStdinOpen) throw this.#refusal('write to', 'its stdin is closed')
    try {
      await this.#process.stdin.writer.write(data)
    } catch (cause) {
      throw this.#refusal('write to', 'its stdin is closed', cause)
    }
  }

  async closeStdin(): Promise<void> {
    if (this.exit) throw this.#refusal('close stdin of', 'it has ended')
    this.#process.closeStdin()
  }

  async resize(cols: number, rows: number): Promise<void> {
    if (this.exit) throw this.#refusal('resize', 'it has ended')
    if (!this.#process.size) throw this.#refusal('resize', 'it has no terminal')
    this.#process.size = { cols, rows }
    this.#process.kill('SIGWINCH')
  }

  async kill(signal: NodeJS.Signals, scope: 'process' | 'tree', why?: EndReason): Promise<void> {
    if (this.exit) return
    if (scope === 'tree') this.#process.killTree(signal, why)
    else this.#process.kill(signal, why)
    // The process handles the signal before the caller continues.
    await Promise.resolve()
  }

  #read(cursor: number, maxBytes: number): OutputChunk {
    const { output, exit } = this.#process
    const chunk = output.read(cursor, maxBytes)
    const isCutOff = exit?.reason === 'lost'
    const done = exit !== undefined && chunk.cursor === output.end
    return { ...chunk, truncated: chunk.truncated || (done && isCutOff), done }
  }

  #refusal(doing: string, why: string, cause?: unknown): CarrelError {
    const message = `Cannot ${doing} process "${this.processId}": ${why}`
    return new CarrelError('conflict', message, { details: { processId: this.processId }, cause })
  }
}
