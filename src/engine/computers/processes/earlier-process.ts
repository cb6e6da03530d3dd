import type { ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { Claim } from '../../idempotency/keys.ts'
import type { Context } from '../../context.ts'

/**
 * Returns the process that an earlier request with the same Idempotency-Key started. The claim proves that the process
 * is the caller's: the server chose its id for this account and key. Throws `not_found` when nothing of the process is
 * kept.
 */
export function earlierProcess(engine: Pick<Context, 'driver'>, { processId }: Claim): ProcessHandle {
  const process = engine.driver.process(processId)
  if (process) return process
  throw new CarrelError(
    'not_found',
    `Cannot return the result of process "${processId}": it was started, but its record is no longer kept`,
    { details: { processId } },
  )
}
