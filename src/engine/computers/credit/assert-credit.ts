import { limits } from '../../../config/limits.ts'
import type { ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { Caller } from '../../caller.ts'
import { priceUsage } from '../../money/usage/price-usage.ts'
import { creditLeft } from '../../money/credit/credit-left.ts'
import { creditUntilThreshold } from '../../money/credit/credit-threshold.ts'
import { isUnbilled } from '../../money/credit/is-unbilled.ts'
import { reachedLimit, type LimitState } from '../../money/credit/spending-limits.ts'
import { outOfCredits } from '../../money/credit/out-of-credits.ts'
import type { ComputersContext } from '../computers.ts'
import type { Context } from '../../context.ts'

/**
 * Throws `out_of_credits` when an account has no credit left for work that is about to begin in a computer that does
 * not run yet, beside one second of each that runs, which is reserved; and `spending_limit_reached` when a limit of the
 * account or of the caller's token is used up.
 */
export async function assertCredit(engine: ComputersContext, caller: Caller): Promise<void> {
  await begin(engine, caller, undefined)
}

/**
 * Checks the credit for work in a computer as `assertCredit` does, but without a reserve when the computer is charged
 * already. Until the returned function is called, the computer counts as one that runs, so that concurrent starts see
 * each other.
 */
export function beginPaid(
  engine: ComputersContext,
  { id, accountId, caller }: AccessibleComputer<'run'>,
): Promise<() => void> {
  return begin(engine, { ...caller, accountId }, id)
}

async function begin(
  engine: ComputersContext,
  { accountId, tokenId, isServer }: Caller,
  computerId: string | undefined,
): Promise<() => void> {
  const countStart = () => (computerId === undefined ? () => {} : engine.meter.beginStart(computerId))
  if (isServer) return countStart()
  const isBilled = !isUnbilled(engine, accountId)
  const leftMicros = isBilled ? await availableCredit(engine, accountId, computerId) : 0
  if (isBilled) assertCovers(engine, accountId, computerId, leftMicros)
  await assertWithinLimits(engine, accountId, tokenId)
  if (!isBilled || computerId === undefined) return countStart()
  // Other work may have begun meanwhile. From here on the code is synchronous, so nothing begins between check and
  // count.
  assertCovers(engine, accountId, computerId, leftMicros)
  const endStart = countStart()
  engine.creditClock.set(accountId, creditUntilThreshold(engine.prices, leftMicros + engine.prices.overdraftMicros))
  return endStart
}

/**
 * Throws `out_of_credits` or `spending_limit_reached` when the program was ended for that reason. The error's details
 * contain `facts`, such as what the program printed until then.
 */
export async function assertWasPaid(
  engine: Pick<Context, 'db' | 'server'>,
  { exit, meta }: Pick<ProcessHandle, 'exit' | 'meta'>,
  facts: Record<string, unknown>,
  tokenId: string = String(meta.tokenId),
): Promise<void> {
  if (exit?.reason === 'out_of_credits')
    throw outOfCredits(engine, 'The program was ended: the account has no credit left', 0, facts)
  if (exit?.reason !== 'spending_limit') return
  const limit = await reachedLimit(engine, String(meta.accountId), tokenId)
  throw limitReached('The program was ended', limit, facts)
}

/**
 * Returns the account's credit. While a charge is written, the use that it is for counts twice; no caller is refused
 * for that, so a credit that seems too small is read again once the charge is written.
 */
async function availableCredit(
  engine: ComputersContext,
  accountId: string,
  computerId: string | undefined,
): Promise<number> {
  const leftMicros = await creditLeft(engine, accountId)
  if (covers(engine, accountId, computerId, leftMicros)) return leftMicros
  return engine.locks.usage(() => creditLeft(engine, accountId))
}

function covers(
  engine: Pick<ComputersContext, 'prices' | 'meter'>,
  accountId: string,
  computerId: string | undefined,
  leftMicros: number,
): boolean {
  const { meter, prices } = engine
  const reservedMs =
    computerId !== undefined && meter.isSpending(computerId)
      ? 0
      : meter.spending(accountId).certain * limits.creditReserveMs
  return leftMicros + prices.overdraftMicros > priceUsage(reservedMs, prices.meters.compute, undefined).amountMicros
}

function assertCovers(
  engine: Pick<ComputersContext, 'server' | 'prices' | 'meter'>,
  accountId: string,
  computerId: string | undefined,
  leftMicros: number,
): void {
  if (covers(engine, accountId, computerId, leftMicros)) return
  const why =
    leftMicros + engine.prices.overdraftMicros > 0
      ? 'the remaining credit is reserved for what runs already'
      : 'the account has no credit left'
  throw outOfCredits(engine, `Cannot run this: ${why}`, leftMicros)
}

async function assertWithinLimits(engine: Pick<Context, 'db'>, accountId: string, tokenId: string): Promise<void> {
  const limit = await reachedLimit(engine, accountId, tokenId)
  if (limit) throw limitReached('Cannot run this', limit)
}

/** Returns the error for a limit that is used up; `limit` is undefined when it was removed meanwhile. */
function limitReached(doing: string, limit: LimitState | undefined, more: Record<string, unknown> = {}): CarrelError {
  if (!limit) return new CarrelError('spending_limit_reached', `${doing}: a limit was used up`, { details: more })
  const { resetsAtMs, ...facts } = limit
  const whose = limit.tokenId === undefined ? 'the workspace' : 'this token'
  return new CarrelError(
    'spending_limit_reached',
    `${doing}: the limit of ${whose}, $${limit.limitMicros / 1_000_000} a ${limit.period}, is used up`,
    { details: { ...more, ...facts, resetsAt: new Date(resetsAtMs).toISOString() } },
  )
}
