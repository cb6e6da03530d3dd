import type { Context, RequestOptions } from '../context.ts'
import { Deadline } from '../deadline.ts'
import { delay } from '../delay.ts'
import { CarrelConnectionError, CarrelOperationError } from '../errors.ts'
import { get } from './requests.ts'

/** What is done to a computer or a snapshot in the background. */
export interface ComputerOperation {
  id: string
  /** Such as `computer.create`. */
  kind: string
  status: 'running' | 'succeeded' | 'failed'
  /** From 0 to 1. */
  progress: number
  /** What it does right now; only if it says so. */
  progress_message?: string
  resource_id: string
  error_message: string | null
}

export interface WaitOptions extends RequestOptions {
  /** Time limit of the whole wait, in milliseconds; default: none. The operation goes on. */
  timeoutMs?: number | undefined
  /** Called with each state of the operation that is read while it runs. */
  onProgress?: ((operation: ComputerOperation) => void) | undefined
}

const minPollMs = 50
const maxPollMs = 1500
/** An operation goes on when its server restarts; a server that is away for longer has most likely not come back. */
const maxSilenceMs = 30_000

/**
 * Waits for the end of an operation, also while its server restarts. Rejects with a `CarrelOperationError` when the operation fails, and with a
 * `CarrelTimeoutError` at the time limit.
 */
export async function waitFor(
  context: Context,
  operation: ComputerOperation,
  { timeoutMs, onProgress, ...options }: WaitOptions = {},
): Promise<ComputerOperation> {
  const deadline = new Deadline(options.signal, timeoutMs)
  const { signal } = deadline
  const path = `/v1/operations/${encodeURIComponent(operation.id)}`
  let current = operation
  let answeredMs = performance.now()
  try {
    for (let pauseMs = minPollMs; current.status === 'running'; pauseMs = Math.min(maxPollMs, pauseMs * 1.5)) {
      onProgress?.(current)
      await delay(pauseMs, signal)
      try {
        current = (await get<{ operation: ComputerOperation }>(context, path, { ...options, signal })).operation
        answeredMs = performance.now()
      } catch (error) {
        const isSilent = performance.now() - answeredMs > maxSilenceMs
        if (isSilent || !(error instanceof CarrelConnectionError)) throw error
      }
    }
  } finally {
    deadline.clear()
  }
  if (current.status === 'failed') throw new CarrelOperationError(current)
  return current
}
