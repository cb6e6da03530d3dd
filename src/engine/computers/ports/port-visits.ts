/** The open connections to published ports, so that a change of who may open one holds for these too. */
export class PortVisits {
  readonly #visits = new Map<string, Set<() => void>>()

  /**
   * Records a connection.
   *
   * @param end ends the connection
   * @returns what forgets it
   */
  add(computerId: string, port: number, end: () => void): () => void {
    const key = keyOf(computerId, port)
    const visits = this.#visits.get(key) ?? new Set()
    this.#visits.set(key, visits.add(end))
    return () => {
      visits.delete(end)
      if (visits.size === 0 && this.#visits.get(key) === visits) this.#visits.delete(key)
    }
  }

  /** Ends all connections to a port. */
  end(computerId: string, port: number): void {
    const key = keyOf(computerId, port)
    const visits = this.#visits.get(key)
    this.#visits.delete(key)
    for (const end of visits ?? []) end()
  }
}

function keyOf(computerId: string, port: number): string {
  return `${computerId} ${port}`
}
