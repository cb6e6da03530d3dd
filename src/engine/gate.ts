/** Lets a number of callers in at a time; the others wait in line. */
export class Gate {
  readonly #size: number
  #inside = 0
  readonly #line: (() => void)[] = []

  constructor(size: number) {
    this.#size = size
  }

  get waiting(): number {
    return this.#line.length
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#size) await new Promise<void>((resolve) => this.#line.push(resolve))
    else this.#inside++
    try {
      return await work()
    } finally {
      const next = this.#line.shift()
      if (next) next()
      else this.#inside--
    }
  }
}
