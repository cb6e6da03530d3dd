/** Lets a number of callers of each key in at a time; the others wait in line. */
export class KeyedGate {
  readonly #size: number
  readonly #keys = new Map<string, { inside: number; line: (() => void)[] }>()

  constructor(size: number) {
    this.#size = size
  }

  /** Resolves, once there is room, to what has to be called to leave; a second call of that does nothing. */
  async enter(key: string): Promise<() => void> {
    let gate = this.#keys.get(key)
    if (!gate) this.#keys.set(key, (gate = { inside: 0, line: [] }))
    const { line } = gate
    if (gate.inside >= this.#size) await new Promise<void>((resolve) => line.push(resolve))
    else gate.inside++
    let isInside = true
    return () => {
      if (!isInside) return
      isInside = false
      const next = line.shift()
      if (next) next()
      else if (--gate.inside === 0) this.#keys.delete(key)
    }
  }
}
