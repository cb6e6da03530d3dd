import type { FileChange } from '../driver.ts'

/**
 * A queue of changes for one reader. Repeated `modify` changes of a path are merged while they are queued. Beyond
 * `maxQueued`, changes are dropped, and an `overflow` in their place has their number.
 */
export class ChangeQueue {
  readonly #maxQueued: number
  #queued: FileChange[] = []
  #read = 0
  /** Paths whose last queued change is a `modify`. */
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
    else if (this.#queued.length - this.#read < this.#maxQueued) this.#queued.push(change)
    else {
      this.#overflow = { type: 'overflow', path: change.path, directory: change.directory, dropped: 1 }
      this.#queued.push(this.#overflow)
    }
    this.#wake?.()
  }

  /** Ends the queue after the queued changes and `last`. Reading then throws the failure, if there is one. */
  end(last?: FileChange, failure?: unknown): void {
    if (this.#ended) return
    if (last) this.#queued.push(last)
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
    const change = this.#queued[this.#read]
    if (!change) return undefined
    this.#read++
    if (this.#read === this.#queued.length) {
      this.#queued = []
      this.#read = 0
    }
    if (change === this.#overflow) this.#overflow = undefined
    if (change.type === 'modify') this.#modified.delete(change.path)
    return change
  }
}
