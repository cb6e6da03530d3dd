import { availableParallelism } from 'node:os'

/** Assigns processors of the host to computers in turn. */
export class CpuAllocator {
  readonly #hostCpus = availableParallelism()
  /** All processors of the host, as a cpuset. */
  readonly all = `0-${this.#hostCpus - 1}`
  #next = 0

  /**
   * Returns a cpuset for a computer that has fewer processors than the host, so that `nproc` inside reports its own
   * number; undefined for all processors.
   */
  allocate(cpus: number): string | undefined {
    const count = Math.ceil(cpus)
    if (count >= this.#hostCpus) return undefined
    const chosen = Array.from({ length: count }, (_, index) => (this.#next + index) % this.#hostCpus)
    this.#next = (this.#next + count) % this.#hostCpus
    return chosen.join(',')
  }
}
