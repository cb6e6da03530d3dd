import { assertRoomInQueue, assertRoomInQueues, type QueueLimits } from '../../queue-room.ts'

interface Options extends QueueLimits {
  /** How much of the work without a queue runs at once. */
  unnamedAtOnce: number
}

interface Queue {
  running: number
  readonly waiting: (() => void)[]
}

/** Runs the work of each queue one after the other, in order of arrival, and some of the work without a queue at once. */
export class Queues {
  readonly #options: Options
  readonly #queues = new Map<string | undefined, Queue>()
  #waiting = 0

  constructor(options: Options) {
    this.#options = options
  }

  /**
   * Rejects with `limit_reached` when the queue is full, and with `no_capacity` when all queues together, or the one for
   * unnamed work, are.
   */
  async run<T>(name: string | undefined, work: () => Promise<T>): Promise<T> {
    let queue = this.#queues.get(name)
    if (!queue) this.#queues.set(name, (queue = { running: 0, waiting: [] }))
    if (queue.running < (name === undefined ? this.#options.unnamedAtOnce : 1)) queue.running++
    else await this.#wait(name, queue.waiting)
    try {
      return await work()
    } finally {
      this.#passOn(name, queue)
    }
  }

  #wait(name: string | undefined, line: (() => void)[]): Promise<void> {
    if (name !== undefined) assertRoomInQueue(this.#options, line.length)
    assertRoomInQueues(this.#options, this.#waiting)
    this.#waiting++
    return new Promise((resolve) => line.push(resolve))
  }

  #passOn(name: string | undefined, queue: Queue): void {
    const next = queue.waiting.shift()
    if (next) {
      this.#waiting--
      next()
    } else if (--queue.running === 0) this.#queues.delete(name)
  }
}
