/** Which ports of running computers were found to be exposed, so that each request to one is no query. */
export class ExposedPorts {
  readonly #ports = new Map<string, Set<number>>()
  #changes = 0

  has(computerId: string, port: number): boolean {
    return this.#ports.get(computerId)?.has(port) ?? false
  }

  /** Remembers a port that `find` finds, unless something changed while it looked. */
  async remember(computerId: string, port: number, find: () => Promise<void>): Promise<void> {
    const before = this.#changes
    await find()
    if (this.#changes !== before) return
    const ports = this.#ports.get(computerId)
    if (ports) ports.add(port)
    else this.#ports.set(computerId, new Set([port]))
  }

  /** A computer's state or ports have changed: to be called once the database says so. */
  forget(computerId: string): void {
    this.#changes++
    this.#ports.delete(computerId)
  }
}
