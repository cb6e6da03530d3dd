import { CarrelError } from './errors.ts'

interface Options {
  /** What is waited for, as in "start the process". */
  doing: string
  /** How much is under way at a time, and of one account at most. */
  places: number
  /** Work that takes longer than this gives its place to somebody else's; it still counts as its own account's. */
  patienceMs: number
  /** How long the line of one account may get, and all lines together. */
  maxWaitingOfOne: number
  maxWaiting: number
}

/** The work of one account. */
interface Line {
  underWay: number
  readonly waiting: (() => void)[]
  /** Whether it stands in one of the two rings. */
  isInTurn: boolean
}

/**
 * Lets a number of callers in at a time. The others wait, each account in a line of its own, and the lines take turns: however much
 * one account asks for, the next place is another's. Work that hangs holds nobody else up.
 */
export class FairSemaphore {
  readonly #options: Options
  readonly #lines = new Map<string, Line>()
  /** Lines that wait for a turn: of accounts that have nothing under way, which go first, and of all others. */
  readonly #idle: Line[] = []
  readonly #busy: Line[] = []
  #free: number
  #waiting = 0

  constructor(options: Options) {
    this.#options = options
    this.#free = options.places
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Rejects with `limit_reached` when too much of the account waits already, with `no_capacity` when too much does in all. */
  async run<T>(accountId: string, work: () => Promise<T>): Promise<T> {
    const line = this.#lineOf(accountId)
    if (this.#free > 0 && line.underWay < this.#options.places) this.#enter(line)
    else {
      try {
        await this.#wait(line)
      } finally {
        this.#forget(accountId, line)
      }
    }
    let hasPlace = true
    const giveUpPlace = () => {
      hasPlace = false
      this.#free++
      this.#letIn()
    }
    const timer = setTimeout(giveUpPlace, this.#options.patienceMs)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
      line.underWay--
      this.#queue(line)
      if (hasPlace) giveUpPlace()
      else this.#letIn()
      this.#forget(accountId, line)
    }
  }

  /** One of which nothing is under way and nothing waits. */
  #forget(accountId: string, line: Line): void {
    if (line.underWay === 0 && line.waiting.length === 0) this.#lines.delete(accountId)
  }

  #lineOf(accountId: string): Line {
    let line = this.#lines.get(accountId)
    if (!line) this.#lines.set(accountId, (line = { underWay: 0, waiting: [], isInTurn: false }))
    return line
  }

  #wait(line: Line): Promise<void> {
    const { doing, maxWaitingOfOne, maxWaiting } = this.#options
    if (line.waiting.length >= maxWaitingOfOne)
      throw new CarrelError(
        'limit_reached',
        `Cannot ${doing}: ${maxWaitingOfOne} of this account wait for their turn already, which is its limit`,
        { details: { limit: maxWaitingOfOne } },
      )
    if (this.#waiting >= maxWaiting)
      throw new CarrelError('no_capacity', `Cannot ${doing}: ${maxWaiting} wait for their turn already`)
    return new Promise((resolve) => {
      line.waiting.push(resolve)
      this.#waiting++
      this.#queue(line)
    })
  }

  #queue(line: Line): void {
    if (line.isInTurn || line.waiting.length === 0 || line.underWay >= this.#options.places) return
    line.isInTurn = true
    if (line.underWay === 0) this.#idle.push(line)
    else this.#busy.push(line)
  }

  #letIn(): void {
    while (this.#free > 0) {
      const line = this.#idle.shift() ?? this.#busy.shift()
      if (!line) return
      line.isInTurn = false
      const enter = line.waiting.shift()!
      this.#waiting--
      this.#enter(line)
      this.#queue(line)
      enter()
    }
  }

  #enter(line: Line): void {
    this.#free--
    line.underWay++
  }
}
