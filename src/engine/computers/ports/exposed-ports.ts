/**
 * Remembers which ports of running computers are exposed, and the accounts that own them, so that not every request to
 * a preview costs a query.
 */
export class ExposedPorts {
  readonly #owners = new Map<string, Map<number, string>>()
  #changes = 0

  /** Returns the account that owns a port; undefined when the port is not remembered. */
  ownerOf(computerId: string, port: number): string | undefined {
    return this.#owners.get(computerId)?.get(port)
  }

  /** Returns the account that `find` finds for a port, and remembers it unless something changed meanwhile. */
  async remember(computerId: string, port: number, find: () => Promise<string>): Promise<string> {
    const before = this.#changes
    const owner = await find()
    if (this.#changes !== before) return owner
    const owners = this.#owners.get(computerId)
    if (owners) owners.set(port, owner)
    else this.#owners.set(computerId, new Map([[port, owner]]))
    return owner
  }

  /**
   * Forgets the ports of a computer whose state or ports have changed; to be called once the change is in the database.
   */
  forget(computerId: string): void {
    this.#changes++
    this.#owners.delete(computerId)
  }
}
