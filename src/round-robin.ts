/** Things that wait, each for somebody: the next is of whoever was served the longest ago. */
export class RoundRobin<T> {
  /** Who waits, in the order of their turns. */
  readonly #lines = new Map<string, T[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  waitingOf(key: string): number {
    return this.#lines.get(key)?.length ?? 0
  }

  push(key: string, item: T): void {
    const line = this.#lines.get(key)
    if (line) line.push(item)
    else this.#lines.set(key, [item])
    this.#size++
  }

  /** The first that may go, of lines in the order of their turns; each line keeps its own order. */
  shift(mayGo: (item: T, key: string) => boolean = () => true): T | undefined {
    for (const [key, line] of this.#lines) {
      const [first] = line as [T, ...T[]]
      if (!mayGo(first, key)) continue
      line.shift()
      this.#size--
      this.#lines.delete(key)
      if (line.length > 0) this.#lines.set(key, line)
      return first
    }
    return undefined
  }

  /** Takes one out that waits no longer. */
  remove(key: string, item: T): void {
    const line = this.#lines.get(key)
    const index = line?.indexOf(item) ?? -1
    if (!line || index < 0) return
    line.splice(index, 1)
    this.#size--
    if (line.length === 0) this.#lines.delete(key)
  }
}
