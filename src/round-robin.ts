/** A queue for each key, served in turn: the next item belongs to the key that was served the longest ago. */
export class RoundRobin<T> {
  /** The queues, in the order of their turns. */
  readonly #queues = new Map<string, T[]>()
  #size = 0

  /** The number of items over all keys. */
  get size(): number {
    return this.#size
  }

  /** Returns the number of items of one key. */
  waitingOf(key: string): number {
    return this.#queues.get(key)?.length ?? 0
  }

  push(key: string, item: T): void {
    const queue = this.#queues.get(key)
    if (queue) queue.push(item)
    else this.#queues.set(key, [item])
    this.#size++
  }

  /**
   * Removes and returns the first item that may go, by turn. Each queue keeps its own order: only its first item can
   * go.
   */
  shift(mayGo: (item: T, key: string) => boolean = () => true): T | undefined {
    for (const [key, queue] of this.#queues) {
      const [first] = queue as [T, ...T[]]
      if (!mayGo(first, key)) continue
      queue.shift()
      this.#size--
      this.#queues.delete(key)
      if (queue.length > 0) this.#queues.set(key, queue)
      return first
    }
    return undefined
  }

  /** Removes an item that no longer waits. */
  remove(key: string, item: T): void {
    const queue = this.#queues.get(key)
    const index = queue?.indexOf(item) ?? -1
    if (!queue || index < 0) return
    queue.splice(index, 1)
    this.#size--
    if (queue.length === 0) this.#queues.delete(key)
  }
}
