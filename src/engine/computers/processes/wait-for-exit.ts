import { limits } from '../../../config/limits.ts'
import type { ProcessExit, ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { ServerState } from '../../context.ts'

/**
 * Returns the exit of a process. Throws `process_goes_on` when the server has to shut down first, and when the process
 * is long overdue and its end is still not reported.
 */
export async function waitForExit(
  { closing }: Pick<ServerState, 'closing'>,
  process: ProcessHandle,
  dueAtMs?: number,
): Promise<ProcessExit> {
  if (process.exit) return process.exit
  const { promise, reject } = Promise.withResolvers<never>()
  const giveUp = () => reject(processGoesOn(process, overdue))
  const overdue = new OverdueWatchdog(process, giveUp, dueAtMs)
  if (closing.aborted) giveUp()
  closing.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([process.wait(), promise])
  } finally {
    closing.removeEventListener('abort', giveUp)
    overdue.clear()
  }
}

/**
 * Notices a process that should have ended while its monitor does not answer; after a longer wait, also when the
 * monitor does answer.
 */
export class OverdueWatchdog {
  hasExpired = false
  readonly #process: ProcessHandle
  readonly #onExpired: () => void
  readonly #dueAtMs: number
  #timer: NodeJS.Timeout | undefined

  /** @param dueAtMs when the process should have ended; by default, at its time limit */
  constructor(
    process: ProcessHandle,
    onExpired: () => void,
    dueAtMs = process.startedAtMs + (process.timeoutMs ?? Infinity),
  ) {
    this.#process = process
    this.#onExpired = onExpired
    this.#dueAtMs = dueAtMs
    const waitMs = dueAtMs + limits.overdueMs - Date.now()
    if (waitMs < maxTimerMs) this.#timer = setTimeout(() => this.#check(), waitMs)
  }

  clear(): void {
    clearTimeout(this.#timer)
  }

  #check(): void {
    const { unresponsive } = this.#process
    this.hasExpired = unresponsive || Date.now() - this.#dueAtMs > limits.overdueMaxMs
    if (this.hasExpired) this.#onExpired()
    else this.#timer = setTimeout(() => this.#check(), checkIntervalMs)
  }
}

/**
 * Returns the error for a process that continues while its caller cannot wait any longer.
 *
 * @param cursor the position from which the caller can read further output
 */
export function processGoesOn(
  { processId, unresponsive }: ProcessHandle,
  overdue: OverdueWatchdog,
  cursor = 0,
): CarrelError {
  const late = unresponsive ? 'the process monitor does not answer' : 'it should have ended, and has not'
  const why = overdue.hasExpired ? late : 'the server is shutting down'
  return new CarrelError('process_goes_on', `Cannot wait for process "${processId}": ${why}`, {
    details: { processId, cursor },
  })
}

const checkIntervalMs = 500
const maxTimerMs = 2 ** 31
