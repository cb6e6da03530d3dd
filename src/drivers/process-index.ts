/** Processes by their id and by their computer, each in the order in which they were added. */
export class ProcessIndex<Process extends { readonly processId: string; readonly computerId: string }> {
  readonly #byId = new Map<string, Process>()
  readonly #byComputer = new Map<string, Set<Process>>()

  add(process: Process): void {
    const { processId, computerId } = process
    this.delete(processId)
    this.#byId.set(processId, process)
    this.#byComputer.set(computerId, (this.#byComputer.get(computerId) ?? new Set()).add(process))
  }

  /** Returns the process that was deleted, if there was one. */
  delete(processId: string): Process | undefined {
    const process = this.#byId.get(processId)
    if (!process) return undefined
    this.#byId.delete(processId)
    const others = this.#byComputer.get(process.computerId)!
    others.delete(process)
    if (others.size === 0) this.#byComputer.delete(process.computerId)
    return process
  }

  get(processId: string): Process | undefined {
    return this.#byId.get(processId)
  }

  has(processId: string): boolean {
    return this.#byId.has(processId)
  }

  all(): Process[] {
    return [...this.#byId.values()]
  }

  /** Takes as long as the computer has processes, however many there are in total. */
  on(computerId: string): Process[] {
    return [...(this.#byComputer.get(computerId) ?? [])]
  }

  ids(): Iterable<string> {
    return this.#byId.keys()
  }
}
