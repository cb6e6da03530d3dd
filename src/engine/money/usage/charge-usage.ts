import { isUnbilled } from '../credit/is-unbilled.ts'
import type { CpuMark } from './metered-computer.ts'
import { recordUsage, type UsagePiece } from './record-usage.ts'
import type { MoneyContext } from '../money.ts'

/**
 * Charges what was used of any meter, such as the seconds of a browser or the neurons of a model, once for each id.
 * It is on the disk when this resolves, with what the kernel counted up to then of the computers.
 */
export async function chargeUsage(
  engine: Pick<MoneyContext, 'db' | 'settings' | 'server' | 'prices' | 'credit'>,
  pieces: readonly UsagePiece[],
  marks: readonly CpuMark[] = [],
): Promise<void> {
  const rules = { prices: engine.prices, isUnbilled: (accountId: string) => isUnbilled(engine, accountId) }
  const left = await recordUsage(engine.db, rules, pieces, marks)
  for (const [accountId, balanceMicros] of left) engine.credit.saw(accountId, balanceMicros)
}
