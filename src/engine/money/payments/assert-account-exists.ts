import type { Transaction } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'

/**
 * Throws `not_found`, in the transaction that credits a payment, when its account is deleted, so that no deleted
 * account is credited. Accepts a payment that was credited under this key before.
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
