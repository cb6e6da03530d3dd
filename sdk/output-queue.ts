import type { OutputChannel } from './exec-messages.ts'

export interface ExecOutput {
  channel: OutputChannel
  data: Uint8Array
}

/** The connection is paused above this many unread bytes, and resumed below a quarter of them. */
const highWaterBytes = 1024 * 1024

/** Output between the connection and its reader. `onFull` is called with true and false alternately. */
export class OutputQueue implements AsyncIterable<ExecOutput> {
  #items: ExecOutput[] = []
  #bytes = 0
  #full = false
  #end: { error?: unknown } | undefined
  #wake: (() => void) | undefined
  readonly #onFull: (full: boolean) => void

  constructor(onFull: (full: boolean) => void) {
    this.#onFull = onFull
  }

  push(item: ExecOutput): void {
    this.#items.push(item)
    this.#count(item.data.length)
    this.#wake?.()
  }

  /** Ends the reader's loop after the queued output, or throws `error` there. Only the first call counts. */
  end(outcome: { error?: unknown }): void {
    this.#end ??= outcome
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ExecOutput> {
    while (true) {
      const items = this.#items
      this.#items = []
      for (const item of items) {
        this.#count(-item.data.length)
        yield item
      }
      if (this.#items.length > 0) continue
      if (this.#end) {
        if ('error' in this.#end) throw this.#end.error
        return
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
      this.#wake = undefined
    }
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    if (!this.#full && this.#bytes > highWaterBytes) this.#onFull((this.#full = true))
    else if (this.#full && this.#bytes < highWaterBytes / 4) this.#onFull((this.#full = false))
  }
}
