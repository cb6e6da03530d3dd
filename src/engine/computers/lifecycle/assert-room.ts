import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'

/** Throws `limit_reached` when an account has as many computers as it may have, as of the transaction that adds one. */
export async function assertRoom(trx: Transaction<Database>, accountId: string): Promise<void> {
  const { count } = await trx
    .selectFrom('computers')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow()
  if (Number(count) < limits.computersPerAccount) return
  throw new CarrelError(
    'limit_reached',
    `Cannot create another computer: the account has ${limits.computersPerAccount}, which is its limit`,
    {
      details: { limit: limits.computersPerAccount },
    },
  )
}
