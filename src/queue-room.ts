import { CarrelError } from './errors.ts'

export interface QueueLimits {
  /** What callers wait for, as in "start the process". */
  action: string
  /** Maximum length of the queue of one account. */
  maxWaitingOfOne: number
  /** Maximum length of all queues together. */
  maxWaiting: number
}

/** Throws `limit_reached` when the queue of an account is full. */
export function assertRoomInQueue({ action, maxWaitingOfOne }: QueueLimits, waitingOfOne: number): void {
  if (waitingOfOne < maxWaitingOfOne) return
  throw new CarrelError(
    'limit_reached',
    `Cannot ${action}: ${maxWaitingOfOne} requests of this account are queued already, which is its limit`,
    { details: { limit: maxWaitingOfOne } },
  )
}

/** Throws `no_capacity` when all queues together are full. */
export function assertRoomInQueues({ action, maxWaiting }: QueueLimits, waiting: number): void {
  if (waiting < maxWaiting) return
  throw new CarrelError('no_capacity', `Cannot ${action}: ${maxWaiting} requests are queued already`)
}
