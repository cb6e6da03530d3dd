import type { ComputerRow } from '../../../db/schema.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import { settleUsage } from './settle-usage.ts'
import type { Charged } from './compute-meter.ts'
import { readMarks } from './cpu-marks.ts'
import type { MeteredFacts } from './metered-computer.ts'
import type { MoneyContext } from '../money.ts'
import type { Context } from '../../context.ts'

type Row = Pick<ComputerRow, 'id' | 'account_id' | 'name' | 'lifecycle' | 'cpus'>

/** From now on an account's computer is counted. One that belongs to nobody yet is not. */
export async function openUsage(engine: Pick<MoneyContext, 'db' | 'meter'>, row: Row): Promise<void> {
  const facts = meteredOf(row)
  if (facts) engine.meter.open(facts, await charged(engine, row.id))
}

/** A computer does not run any more; what it used is recorded when this resolves. */
export async function closeUsage(engine: MoneyContext, computerId: string): Promise<void> {
  engine.meter.close(computerId)
  await settleUsage(engine)
}

/** The same for one that was found not to run any more, since when nobody knows. */
export async function loseUsage(engine: MoneyContext, computerId: string): Promise<void> {
  engine.meter.lose(computerId)
  await settleUsage(engine)
}

/** Returns what the meter needs to know of an account's computer; undefined for one in the warm pool. */
export function meteredOf({ id, account_id, name, lifecycle, cpus }: Row): MeteredFacts | undefined {
  if (account_id === null) return undefined
  const always = policyOf({ lifecycle }).charged === 'running'
  return { computerId: id, accountId: account_id, label: name, cpus, always }
}

/** Up to when a computer's running was recorded, and what it used of processors; 0 for never. */
async function charged(engine: Pick<Context, 'db'>, computerId: string): Promise<Charged> {
  const row = await engine.db
    .selectFrom('usage_intervals')
    .select(({ fn }) => fn.max('ended_at').as('at'))
    .where('computer_id', '=', computerId)
    .where('meter', '=', 'compute')
    .executeTakeFirst()
  const mark = (await readMarks(engine.db, computerId)).get(computerId)
  return { paidToMs: Number(row?.at ?? 0), totals: mark ?? { usedMicros: 0, openMs: 0 } }
}
