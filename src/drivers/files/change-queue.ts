import type { FileChange } from '../driver.ts'

/**
 * Changes that wait for their reader. A `modify` of what waits to be told as modified is the same news; beyond
 * `maxQueued` changes are dropped, and an `overflow` in their place says how many.
 */
export class ChangeQueue {
  readonly #maxQueued: number
  #waiting: FileChange[] = []
  #read = 0
  /** Paths whose last change that waits is a `modify`. */
  readonly #modified = new Set<string>()
  #overflow: FileChange | undefined
  #wake: (() => void) | undefined
  #ended = false
  #failure: unknown

  constructor(maxQueued: number) {
    this.#maxQueued = maxQueued
  }

  add(change: FileChange): void {
    if (this.#ended) return
    if (change.type === 'modify') {
      if (this.#modified.has(change.path)) return
      this.#modified.add(change.path)
    } else {
      this.#modified.delete(change.path)
    }
    if (this.#overflow) this.#overflow.dropped = (this.#overflow.dropped ?? 0) + 1
    else if (this.#waiting.length - this.#read < this.#maxQueued) this.#waiting.push(change)
    else {
      this.#overflow = { type: 'overflow', path: change.path, directory: change.directory, dropped: 1 }
      this.#waiting.push(this.#overflow)
    }
    this.#wake?.()
  }

  /** What waits is still told; then the reading rejects with the failure, if there is one. */
  end(last?: FileChange, failure?: unknown): void {
    if (this.#ended) return
    if (last) this.#waiting.push(last)
    this.#ended = true
    this.#failure = failure
    this.#wake?.()
  }

  async *read(): AsyncIterable<FileChange> {
    while (true) {
      const change = this.#next()
      if (change) yield change
      else if (this.#failure !== undefined) throw this.#failure
      else if (this.#ended) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  #next(): FileChange | undefined {
    const change = this.#waiting[this.#read]
    if (!change) return undefined
    this.#read++
    if (this.#read === this.#waiting.length) {
      this.#waiting = []
      this.#read = 0
    }
    if (change === this.#overflow) this.#overflow = undefined
    if (change.type === 'modify') this.#modified.delete(change.path)
    return change
  }
}
