import { RoundRobin } from './round-robin.ts'

/**
 * Divides work that would block the event loop into slices. Each turn of the loop runs one slice of all such work, so
 * that everything else that is ready runs in between, however many large answers are being written. Accounts take
 * turns.
 */
export class Slices {
  readonly #key: string
  #endMs = performance.now() + sliceMs

  /** Begins the first slice. `key` is the account that the work is for. */
  constructor(key: string) {
    this.#key = key
  }

  /** Whether the slice has used its time, so that `next` is due. */
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

/** Long enough to make progress, short enough to go unnoticed. */
const sliceMs = 4
