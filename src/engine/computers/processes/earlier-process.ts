import type { ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { Claim } from '../../idempotency/keys.ts'
import type { Context } from '../../context.ts'

/**
 * Returns the process that an earlier request with the same Idempotency-Key started. The claim is the proof that it is
 * the caller's: the server chose the id for this account and key. Throws `not_found` when nothing of it is kept.
 */
export function earlierProcess(engine: Pick<Context, 'driver'>, { processId }: Claim): ProcessHandle {
  const process = engine.driver.process(processId)
  if (process) return process
  throw new CarrelError(
    'not_found',
    `Cannot answer with the end of process "${processId}": it was started, and nothing of it is kept any more`,
    { details: { processId } },
  )
}
