import type { Transaction } from 'kysely'
import { durableTransaction } from '../../db/durable-transaction.ts'
import type { Database } from '../../db/schema.ts'
import type { DeletionSubject } from './deletion-subject.ts'
import type { Context } from '../context.ts'

/** The last step: the person, if it is one, and the workspaces themselves. */
export async function finishDeletion(
  { db }: Pick<Context, 'db'>,
  { userId, accountIds }: DeletionSubject,
): Promise<void> {
  await durableTransaction(db, async (trx) => {
    await handOver(trx, userId)
    await trx
      .deleteFrom('memberships')
      .where((eb) => eb.or([eb('user_id', '=', userId), eb('account_id', 'in', accountIds)]))
      .execute()
    await trx.deleteFrom('users').where('id', '=', userId).execute()
    await trx.deleteFrom('accounts').where('id', 'in', accountIds).execute()
  })
}

/** A workspace that others are left in has an owner still: the admin who came first, else the member. */
async function handOver(trx: Transaction<Database>, userId: string): Promise<void> {
  const owned = await trx
    .selectFrom('memberships')
    .select('account_id')
    .where('user_id', '=', userId)
    .where('role', '=', 'owner')
    .execute()
  for (const { account_id } of owned) {
    const others = await trx
      .selectFrom('memberships')
      .select(['user_id', 'role'])
      .where('account_id', '=', account_id)
      .where('user_id', '!=', userId)
      .orderBy('created_at')
      .orderBy('user_id')
      .execute()
    const [heir] = ['owner', 'admin', 'member'].flatMap((role) => others.filter((other) => other.role === role))
    if (!heir || heir.role === 'owner') continue
    await trx
      .updateTable('memberships')
      .set({ role: 'owner' })
      .where('account_id', '=', account_id)
      .where('user_id', '=', heir.user_id)
      .execute()
  }
}
