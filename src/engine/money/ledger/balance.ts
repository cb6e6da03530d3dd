import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { chunks } from '../../../db/chunks.ts'
import { creditOf } from './books.ts'

/** Returns what an account can spend in micro-dollars; holds are deducted already. */
export async function balanceOf(db: Kysely<Database>, accountId: string): Promise<number> {
  const row = await db
    .selectFrom('ledger_books')
    .select('balance_micros')
    .where('id', '=', creditOf(accountId).id)
    .executeTakeFirst()
  return Number(row?.balance_micros ?? 0)
}

/** Returns the balances of several accounts. */
export async function balancesOf(db: Kysely<Database>, accountIds: readonly string[]): Promise<Map<string, number>> {
  const balances = new Map(accountIds.map((accountId) => [accountId, 0]))
  for (const some of chunks(accountIds)) {
    const ids = some.map((accountId) => creditOf(accountId).id)
    const rows = await db
      .selectFrom('ledger_books')
      .select(['account_id', 'balance_micros'])
      .where('id', 'in', ids)
      .execute()
    for (const { account_id, balance_micros } of rows) balances.set(account_id!, Number(balance_micros))
  }
  return balances
}

/** Returns the balances of accounts, and locks them until the transaction ends. */
export async function lockBalances(
  trx: Transaction<Database>,
  accountIds: readonly string[],
): Promise<Map<string, number>> {
  const balances = new Map(accountIds.map((accountId) => [accountId, 0]))
  for (const some of chunks([...balances.keys()])) {
    // An update that changes nothing takes a lock on every database.
    const rows = await trx
      .updateTable('ledger_books')
      .set((eb) => ({ balance_micros: eb.ref('balance_micros') }))
      .where(
        'id',
        'in',
        some.map((accountId) => creditOf(accountId).id),
      )
      .returning(['account_id', 'balance_micros'])
      .execute()
    for (const { account_id, balance_micros } of rows) balances.set(account_id!, Number(balance_micros))
  }
  return balances
}

/** Splits an amount into what the credit covers, down to the overdraft, and the rest. */
export function splitAmount(amountMicros: number, balanceMicros: number, overdraftMicros: number) {
  const takenMicros = Math.max(0, Math.min(amountMicros, balanceMicros + overdraftMicros))
  return { takenMicros, shortMicros: amountMicros - takenMicros }
}
