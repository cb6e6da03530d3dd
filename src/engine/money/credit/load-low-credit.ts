import { isUnbilled } from './is-unbilled.ts'
import type { MoneyContext } from '../money.ts'

/** After a start: loads the accounts that have little credit, or none. */
export async function loadLowCredit(
  engine: Pick<MoneyContext, 'db' | 'settings' | 'server' | 'prices' | 'credit'>,
): Promise<void> {
  const { lowBalanceMicros, overdraftMicros } = engine.prices
  const rows = await engine.db
    .selectFrom('ledger_books')
    .select(['account_id', 'balance_micros'])
    .where('kind', '=', 'credit')
    .where('balance_micros', '<=', Math.max(lowBalanceMicros, -overdraftMicros))
    .execute()
  for (const { account_id, balance_micros } of rows)
    if (!isUnbilled(engine, account_id!)) engine.credit.update(account_id!, Number(balance_micros))
}
