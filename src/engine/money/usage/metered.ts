import type { ComputerRow } from '../../../db/schema.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import { settleUsage } from './settle-usage.ts'
import type { Charged } from './compute-meter.ts'
import { readSnapshot } from './cpu-snapshots.ts'
import type { MeteredFacts } from './metered-computer.ts'
import type { MoneyContext, PostingContext } from '../money.ts'
import type { Context } from '../../context.ts'

type Row = Pick<ComputerRow, 'id' | 'account_id' | 'name' | 'lifecycle' | 'cpus'>

/** Starts metering an account's computer. A computer that belongs to nobody yet is not metered. */
export async function openUsage(engine: Pick<MoneyContext, 'db' | 'meter'>, row: Row): Promise<void> {
  const facts = meteredOf(row)
  if (facts) engine.meter.open(facts, await charged(engine, row.id))
}

/** Stops metering a computer that does not run any more; its usage is recorded when this resolves. */
export async function closeUsage(engine: PostingContext, computerId: string): Promise<void> {
  engine.meter.close(computerId)
  await settleUsage(engine)
}

/** Stops metering a computer that was found not to run any more, at an unknown time since. */
export async function closeLostUsage(engine: PostingContext, computerId: string): Promise<void> {
  engine.meter.closeLost(computerId)
  await settleUsage(engine)
}

/** Returns what the meter needs to know of an account's computer; undefined for one in the warm pool. */
export function meteredOf({ id, account_id, name, lifecycle, cpus }: Row): MeteredFacts | undefined {
  if (account_id === null) return undefined
  const costsWhileRunning = policyOf({ lifecycle }).charged === 'running'
  return { computerId: id, accountId: account_id, label: name, cpus, costsWhileRunning }
}

/** Returns until when a computer is charged, 0 for never, and its processor time so far. */
async function charged(engine: Pick<Context, 'db'>, computerId: string): Promise<Charged> {
  const row = await engine.db
    .selectFrom('usage_intervals')
    .select(({ fn }) => fn.max('ended_at').as('at'))
    .where('computer_id', '=', computerId)
    .where('meter', '=', 'compute')
    .executeTakeFirst()
  const snapshot = await readSnapshot(engine.db, computerId)
  return { paidToMs: Number(row?.at ?? 0), totals: snapshot ?? { usedMicros: 0, openMs: 0 } }
}
