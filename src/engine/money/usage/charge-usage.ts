import { isUnbilled } from '../credit/is-unbilled.ts'
import type { CpuSnapshot } from './metered-computer.ts'
import { recordUsage, type UsageInterval } from './record-usage.ts'
import type { MoneyContext } from '../money.ts'

/**
 * Charges usage of any meter, such as seconds of a browser or neurons of a model, once for each id. It is on the disk
 * when this resolves, together with the snapshots of processor time.
 */
export async function chargeUsage(
  engine: Pick<MoneyContext, 'db' | 'node' | 'settings' | 'server' | 'prices' | 'credit'>,
  intervals: readonly UsageInterval[],
  snapshots: readonly CpuSnapshot[] = [],
): Promise<void> {
  const { prices, node } = engine
  const rules = { prices, node, isUnbilled: (accountId: string) => isUnbilled(engine, accountId) }
  const left = await recordUsage(engine.db, rules, intervals, snapshots)
  for (const [accountId, balanceMicros] of left) engine.credit.update(accountId, balanceMicros)
}
