import { limits } from '../../../config/limits.ts'
import type { ProcessExit, ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { ServerState } from '../../context.ts'

/**
 * The end of a process. Rejects with `process_goes_on` when the server has to end before it, and when it should have ended
 * long ago and its end is not told.
 */
export async function waitForExit(
  { closing }: Pick<ServerState, 'closing'>,
  process: ProcessHandle,
  dueAtMs?: number,
): Promise<ProcessExit> {
  if (process.exit) return process.exit
  const { promise, reject } = Promise.withResolvers<never>()
  const giveUp = () => reject(processGoesOn(process, overdue))
  const overdue = new Overdue(process, giveUp, dueAtMs)
  if (closing.aborted) giveUp()
  closing.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([process.wait(), promise])
  } finally {
    closing.removeEventListener('abort', giveUp)
    overdue.clear()
  }
}

/** Finds out that a process should have ended, and who supervises it does not answer; in the end also when that one does. */
export class Overdue {
  isOver = false
  readonly #process: ProcessHandle
  readonly #onOver: () => void
  readonly #dueAtMs: number
  #timer: NodeJS.Timeout | undefined

  /** @param dueAtMs when it should have ended: by its time limit, where nobody ended it before. */
  constructor(
    process: ProcessHandle,
    onOver: () => void,
    dueAtMs = process.startedAtMs + (process.timeoutMs ?? Infinity),
  ) {
    this.#process = process
    this.#onOver = onOver
    this.#dueAtMs = dueAtMs
    const waitMs = dueAtMs + limits.overdueMs - Date.now()
    if (waitMs < maxTimerMs) this.#timer = setTimeout(() => this.#look(), waitMs)
  }

  clear(): void {
    clearTimeout(this.#timer)
  }

  #look(): void {
    const { unresponsive } = this.#process
    this.isOver = unresponsive || Date.now() - this.#dueAtMs > limits.overdueMaxMs
    if (this.isOver) this.#onOver()
    else this.#timer = setTimeout(() => this.#look(), lookMs)
  }
}

/** @param cursor where the caller can read its output on from */
export function processGoesOn({ processId, unresponsive }: ProcessHandle, overdue: Overdue, cursor = 0): CarrelError {
  const late = unresponsive ? 'the process monitor does not answer' : 'it should have ended, and has not'
  const why = overdue.isOver ? late : 'the server is shutting down'
  return new CarrelError('process_goes_on', `Cannot wait for process "${processId}": ${why}`, {
    details: { processId, cursor },
  })
}

const lookMs = 500
const maxTimerMs = 2 ** 31
