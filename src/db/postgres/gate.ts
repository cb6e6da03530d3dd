import { limits } from '../../config/limits.ts'

/**
 * Runs work side by side with other work, up to a number, and work that is to go on undisturbed alone. The two kinds
 * alternate: what runs alone waits for a few that run side by side, and those for one that runs alone, however many of
 * either kind there are. Work that takes long is not waited for: the next goes on beside it.
 */
export class Gate {
  readonly #permits: number
  readonly #maxWaitMs: number
  readonly #waitingForPermit: (() => void)[] = []
  readonly #waitingToBeAlone: (() => void)[] = []
  #running = 0
  #isClosed = false
  /** Whether what runs side by side goes next, where both kinds wait. */
  #isTurnOfMany = true
  /** Runs while work waits for others to end before it runs alone. */
  #patience: NodeJS.Timeout | undefined

  constructor(permits: number, maxWaitMs: number = limits.transactionAloneMs) {
    this.#permits = permits
    this.#maxWaitMs = maxWaitMs
  }

  async besideOthers<T>(work: () => Promise<T>): Promise<T> {
    await this.#wait(this.#waitingForPermit)
    try {
      return await work()
    } finally {
      this.#running--
      this.#admit()
    }
  }

  async alone<T>(work: () => Promise<T>): Promise<T> {
    await this.#wait(this.#waitingToBeAlone)
    let isOver = false
    const open = () => {
      if (isOver) return
      isOver = true
      this.#isClosed = false
      this.#admit()
    }
    const timer = setTimeout(open, this.#maxWaitMs)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
      open()
    }
  }

  #wait(line: (() => void)[]): Promise<void> {
    return new Promise((resolve) => {
      line.push(resolve)
      this.#admit()
    })
  }

  #admit(): void {
    if (this.#isClosed) return
    if (this.#isTurnOfMany) this.#admitMany()
    if (this.#waitingToBeAlone.length === 0) return this.#admitMany()
    this.#isTurnOfMany = false
    if (this.#running === 0) this.#admitOne()
    else this.#patience ??= setTimeout(() => this.#admitOne(), this.#maxWaitMs)
  }

  #admitMany(): void {
    while (this.#running < this.#permits) {
      const enter = this.#waitingForPermit.shift()
      if (!enter) return
      this.#running++
      enter()
    }
  }

  /** Admits work that is to be alone. */
  #admitOne(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
    this.#isClosed = true
    this.#isTurnOfMany = true
    this.#waitingToBeAlone.shift()!()
  }
}
