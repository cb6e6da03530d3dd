/** Which ports of running computers were found to be exposed, and whose they are, so that each request to one is no query. */
export class ExposedPorts {
  readonly #owners = new Map<string, Map<number, string>>()
  #changes = 0

  /** The account of a port that is remembered. */
  ownerOf(computerId: string, port: number): string | undefined {
    return this.#owners.get(computerId)?.get(port)
  }

  /** Remembers a port whose account `find` finds, unless something changed while it looked. */
  async remember(computerId: string, port: number, find: () => Promise<string>): Promise<string> {
    const before = this.#changes
    const owner = await find()
    if (this.#changes !== before) return owner
    const owners = this.#owners.get(computerId)
    if (owners) owners.set(port, owner)
    else this.#owners.set(computerId, new Map([[port, owner]]))
    return owner
  }

  /** A computer's state or ports have changed: to be called once the database says so. */
  forget(computerId: string): void {
    this.#changes++
    this.#owners.delete(computerId)
  }
}
