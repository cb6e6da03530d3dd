import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'

/** Throws `limit_reached` when an account may not have `adding` more computers, as of the transaction that adds them. */
export async function assertRoom(trx: Transaction<Database>, accountId: string, adding = 1): Promise<void> {
  const { count } = await trx
    .selectFrom('computers')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow()
  if (Number(count) + adding <= limits.computersPerAccount) return
  throw new CarrelError(
    'limit_reached',
    `Cannot create another computer: the account has ${count}, and ${limits.computersPerAccount} is its limit`,
    {
      details: { limit: limits.computersPerAccount },
    },
  )
}
