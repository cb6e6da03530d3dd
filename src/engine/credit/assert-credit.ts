import type { ProcessHandle } from '../../drivers/driver.ts'
import { CarrelError } from '../../errors.ts'
import type { Caller, Engine } from '../engine.ts'
import { creditLeft } from './credit-left.ts'
import { isUnbilled } from './is-unbilled.ts'
import { serverTokenId } from './server-token.ts'
import { reachedLimit } from './spending-limits.ts'

/**
 * Rejects with `out_of_credits` when an account has nothing left for work that is about to begin, and with
 * `spending_limit_reached` when a limit of the account or of the caller's token is used up.
 */
export async function assertCredit(engine: Engine, { accountId, tokenId }: Caller): Promise<void> {
  if (tokenId === serverTokenId) return
  if (!isUnbilled(engine, accountId)) {
    const leftMicros = await creditLeft(engine, accountId)
    if (leftMicros + engine.prices.overdraftMicros <= 0)
      throw outOfCredits(engine, 'Cannot run this: the account has no credit left', leftMicros)
  }
  const limit = await reachedLimit(engine, accountId, tokenId)
  if (!limit) return
  const { resetsAtMs, ...facts } = limit
  const whose = limit.tokenId === undefined ? 'the workspace' : 'this token'
  throw new CarrelError(
    'spending_limit_reached',
    `Cannot run this: the limit of ${whose}, $${limit.limitMicros / 1_000_000} a ${limit.period}, is used up`,
    { details: { ...facts, resetsAt: new Date(resetsAtMs).toISOString() } },
  )
}

/**
 * Rejects with `out_of_credits` and what the program gave up to then, when it was ended because the credit did. A limit of
 * a token ends programs too, and says so with the next request.
 */
export function assertWasPaid(engine: Engine, process: ProcessHandle, facts: Record<string, unknown>): void {
  if (!engine.credit.unpaid.has(process)) return
  throw outOfCredits(engine, 'The program was ended: the account has no credit left', 0, facts)
}

function outOfCredits(
  engine: Engine,
  message: string,
  leftMicros: number,
  facts: Record<string, unknown> = {},
): CarrelError {
  const details = { ...facts, creditsRemaining: leftMicros / 1_000_000, topupUrl: `${engine.origin()}/topup` }
  return new CarrelError('out_of_credits', message, { details })
}
