/** Who owns a port, who may open it, and what kind of computer it belongs to. */
export interface ExposedPort {
  accountId: string
  isPrivate: boolean
  /** Whether its computer keeps its files when it stops. */
  keepsFiles: boolean
}

/**
 * Remembers which ports of running computers are exposed, and whose they are, so that not every request to
 * a preview costs a query.
 */
export class ExposedPorts {
  readonly #ports = new Map<string, Map<number, ExposedPort>>()
  #changes = 0

  /** Returns what is known of a port; undefined when it is not remembered. */
  get(computerId: string, port: number): ExposedPort | undefined {
    return this.#ports.get(computerId)?.get(port)
  }

  /** Returns what `find` finds for a port, and remembers it unless something changed meanwhile. */
  async remember(computerId: string, port: number, find: () => Promise<ExposedPort>): Promise<ExposedPort> {
    const before = this.#changes
    const found = await find()
    if (this.#changes !== before) return found
    const ports = this.#ports.get(computerId)
    if (ports) ports.set(port, found)
    else this.#ports.set(computerId, new Map([[port, found]]))
    return found
  }

  /**
   * Forgets the ports of a computer whose state or ports have changed; to be called once the change is in the database.
   */
  forget(computerId: string): void {
    this.#changes++
    this.#ports.delete(computerId)
  }
}
