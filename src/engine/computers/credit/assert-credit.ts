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
 * Rejects with `out_of_credits` when an account has nothing left for work that is about to begin in another computer than those that run,
 * each of which has a second set aside, and with `spending_limit_reached` when a limit of the account or of the caller's token is used up.
 */
export async function assertCredit(engine: ComputersContext, caller: Caller): Promise<void> {
  await begin(engine, caller, undefined)
}

/**
 * The same for work in a computer, which takes nothing more when it is used already. Until the returned function is called the work
 * is counted as that of a computer that runs: of many that begin at once none is overlooked.
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
  const expect = () => (computerId === undefined ? () => {} : engine.meter.beginStart(computerId))
  if (isServer) return expect()
  const isBilled = !isUnbilled(engine, accountId)
  const leftMicros = isBilled ? await leftFor(engine, accountId, computerId) : 0
  if (isBilled) assertReaches(engine, accountId, computerId, leftMicros)
  await assertWithinLimits(engine, accountId, tokenId)
  if (!isBilled || computerId === undefined) return expect()
  // Others may have begun in between; from here on nothing comes in between.
  assertReaches(engine, accountId, computerId, leftMicros)
  const hasBegun = expect()
  engine.creditClock.set(accountId, creditUntilThreshold(engine.prices, leftMicros + engine.prices.overdraftMicros))
  return hasBegun
}

/**
 * Rejects with `out_of_credits` or `spending_limit_reached`, and what the program gave up to then, when it was ended because the credit
 * or a limit was.
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
  throw overLimit('The program was ended', limit, facts)
}

/** While a charge is written what it is for is counted twice: nobody is refused for that. */
async function leftFor(engine: ComputersContext, accountId: string, computerId: string | undefined): Promise<number> {
  const leftMicros = await creditLeft(engine, accountId)
  if (reaches(engine, accountId, computerId, leftMicros)) return leftMicros
  return engine.locks.run('usage', () => creditLeft(engine, accountId))
}

function reaches(
  engine: Pick<ComputersContext, 'prices' | 'meter'>,
  accountId: string,
  computerId: string | undefined,
  leftMicros: number,
): boolean {
  const { meter, prices } = engine
  const others =
    computerId !== undefined && meter.isSpending(computerId)
      ? 0
      : meter.spending(accountId).certain * limits.creditReserveMs
  return leftMicros + prices.overdraftMicros > priceUsage(others, prices.meters.compute, undefined).amountMicros
}

function assertReaches(
  engine: Pick<ComputersContext, 'server' | 'prices' | 'meter'>,
  accountId: string,
  computerId: string | undefined,
  leftMicros: number,
): void {
  if (reaches(engine, accountId, computerId, leftMicros)) return
  const why =
    leftMicros + engine.prices.overdraftMicros > 0
      ? 'what is left of the credit is set aside for what runs already'
      : 'the account has no credit left'
  throw outOfCredits(engine, `Cannot run this: ${why}`, leftMicros)
}

async function assertWithinLimits(engine: Pick<Context, 'db'>, accountId: string, tokenId: string): Promise<void> {
  const limit = await reachedLimit(engine, accountId, tokenId)
  if (limit) throw overLimit('Cannot run this', limit)
}

/** Without a limit it was taken away meanwhile. */
function overLimit(doing: string, limit: LimitState | undefined, more: Record<string, unknown> = {}): CarrelError {
  if (!limit) return new CarrelError('spending_limit_reached', `${doing}: a limit was used up`, { details: more })
  const { resetsAtMs, ...facts } = limit
  const whose = limit.tokenId === undefined ? 'the workspace' : 'this token'
  return new CarrelError(
    'spending_limit_reached',
    `${doing}: the limit of ${whose}, $${limit.limitMicros / 1_000_000} a ${limit.period}, is used up`,
    { details: { ...more, ...facts, resetsAt: new Date(resetsAtMs).toISOString() } },
  )
}
