import { assertRoomInQueue, assertRoomInQueues, type QueueLimits } from './queue-room.ts'

interface Options extends QueueLimits {
  /** How much runs at the same time, in total and for one account. */
  permits: number
  /**
   * Work that takes longer than this hands its permit to another account; it still counts as work of its own account.
   */
  maxHoldMs: number
}

/** The work of one account. */
interface Queue {
  running: number
  readonly waiting: (() => void)[]
  /** Whether the queue is in one of the two rings. */
  isInRing: boolean
}

/**
 * Admits a number of callers at a time. The others wait, each account in a queue of its own, and the queues take turns:
 * however much one account asks for, the next permit goes to another. Work that hangs delays nobody else.
 */
export class FairSemaphore {
  readonly #options: Options
  readonly #queues = new Map<string, Queue>()
  /** Queues that wait for a turn: those of accounts with nothing running, which go first, and all others. */
  readonly #idle: Queue[] = []
  readonly #busy: Queue[] = []
  #free: number
  #waiting = 0

  constructor(options: Options) {
    this.#options = options
    this.#free = options.permits
  }

  /** The length of all queues together. */
  get waiting(): number {
    return this.#waiting
  }

  /**
   * Runs work as soon as a permit is free, and settles as the work does. Rejects with `limit_reached` when the queue of
   * the account is full, and with `no_capacity` when all queues together are.
   */
  async run<T>(accountId: string, work: () => Promise<T>): Promise<T> {
    const queue = this.#queueOf(accountId)
    if (this.#free > 0 && queue.running < this.#options.permits) this.#enter(queue)
    else {
      try {
        await this.#wait(queue)
      } finally {
        this.#forget(accountId, queue)
      }
    }
    let hasPermit = true
    const releasePermit = () => {
      hasPermit = false
      this.#free++
      this.#admit()
    }
    const timer = setTimeout(releasePermit, this.#options.maxHoldMs)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
      queue.running--
      this.#enqueue(queue)
      if (hasPermit) releasePermit()
      else this.#admit()
      this.#forget(accountId, queue)
    }
  }

  /** Removes a queue that has nothing running and nothing waiting. */
  #forget(accountId: string, queue: Queue): void {
    if (queue.running === 0 && queue.waiting.length === 0) this.#queues.delete(accountId)
  }

  #queueOf(accountId: string): Queue {
    let queue = this.#queues.get(accountId)
    if (!queue) this.#queues.set(accountId, (queue = { running: 0, waiting: [], isInRing: false }))
    return queue
  }

  #wait(queue: Queue): Promise<void> {
    assertRoomInQueue(this.#options, queue.waiting.length)
    assertRoomInQueues(this.#options, this.#waiting)
    return new Promise((resolve) => {
      queue.waiting.push(resolve)
      this.#waiting++
      this.#enqueue(queue)
    })
  }

  /** Puts a queue into its ring unless it is in one, is empty, or its account has every permit that it may have. */
  #enqueue(queue: Queue): void {
    if (queue.isInRing || queue.waiting.length === 0 || queue.running >= this.#options.permits) return
    queue.isInRing = true
    if (queue.running === 0) this.#idle.push(queue)
    else this.#busy.push(queue)
  }

  #admit(): void {
    while (this.#free > 0) {
      const queue = this.#idle.shift() ?? this.#busy.shift()
      if (!queue) return
      queue.isInRing = false
      const enter = queue.waiting.shift()!
      this.#waiting--
      this.#enter(queue)
      this.#enqueue(queue)
      enter()
    }
  }

  #enter(queue: Queue): void {
    this.#free--
    queue.running++
  }
}
