import { RoundRobin } from './round-robin.ts'

/**
 * Work that would hold the event loop for long, done in slices. Of all such work one slice is done in each turn of the loop, so that
 * everything else that is ready comes between, however many large answers are being written; and accounts take turns.
 */
export class Slices {
  readonly #key: string
  #endMs = performance.now() + sliceMs

  /** `key` is whose work it is: an account. The first slice begins now. */
  constructor(key: string) {
    this.#key = key
  }

  /** Whether it is time to call `next`. */
  get isOver(): boolean {
    return performance.now() >= this.#endMs
  }

  /** Resolves when the next slice may begin. */
  async next(): Promise<void> {
    await turn(this.#key)
    this.#endMs = performance.now() + sliceMs
  }
}

const waiting = new RoundRobin<() => void>()
let isServing = false

function turn(key: string): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(key, resolve)
    if (isServing) return
    isServing = true
    setImmediate(serve)
  })
}

function serve(): void {
  waiting.shift()!()
  isServing = waiting.size > 0
  if (isServing) setImmediate(serve)
}

/** Long enough to get on, short enough that nobody sees it. */
const sliceMs = 4
