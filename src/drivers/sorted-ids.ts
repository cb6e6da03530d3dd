/** Ids in the order of their bytes, so that a page costs no more than its length. */
export class SortedIds {
  readonly #ids: string[] = []

  add(id: string): void {
    const place = this.#placeOf(id)
    if (this.#ids[place] !== id) this.#ids.splice(place, 0, id)
  }

  delete(id: string): void {
    const place = this.#placeOf(id)
    if (this.#ids[place] === id) this.#ids.splice(place, 1)
  }

  /** Returns up to `limit` ids after another one, which need not exist, or from the first on. */
  after(id: string | undefined, limit: number): string[] {
    let start = 0
    if (id !== undefined) {
      start = this.#placeOf(id)
      if (this.#ids[start] === id) start++
    }
    return this.#ids.slice(start, start + limit)
  }

  /** Returns the place of the first id that is not before this one. */
  #placeOf(id: string): number {
    const bytes = Buffer.from(id)
    let [low, high] = [0, this.#ids.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (Buffer.from(this.#ids[middle]!).compare(bytes) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
