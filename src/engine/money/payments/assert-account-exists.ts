import type { Transaction } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'

/**
 * In the transaction that credits a payment: rejects with `not_found` when its account is deleted, so that nobody is
 * credited who is not there. What was credited before that, under this key, was credited.
 */
export async function assertAccountExists(
  trx: Transaction<Database>,
  { accountId, key }: { accountId: string; key: string },
): Promise<void> {
  const account = await trx.selectFrom('accounts').select('id').where('id', '=', accountId).executeTakeFirst()
  if (account) return
  const before = await trx.selectFrom('ledger_transactions').select('id').where('key', '=', key).executeTakeFirst()
  if (before) return
  throw new CarrelError('not_found', 'Cannot credit the payment: its account is deleted')
}
