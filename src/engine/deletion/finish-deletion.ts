import type { Transaction } from 'kysely'
import { transaction } from '../../db/transaction.ts'
import { inList } from '../../db/in-list.ts'
import type { Database } from '../../db/schema.ts'
import type { Context } from '../context.ts'
import type { DeletionSubject } from './deletion-subject.ts'

/** Takes the last step of a deletion: removes the workspaces themselves, and the user where the subject is one. */
export async function finishDeletion({ db }: Pick<Context, 'db'>, subject: DeletionSubject): Promise<void> {
  await transaction(db, 'durable', async (trx) => {
    if (subject.kind === 'user') await removeUser(trx, subject.userId)
    await trx
      .deleteFrom('memberships')
      .where((eb) => inList(eb, 'account_id', subject.accountIds))
      .execute()
    if (subject.kind === 'user') await trx.deleteFrom('users').where('id', '=', subject.userId).execute()
    await trx
      .deleteFrom('accounts')
      .where((eb) => inList(eb, 'id', subject.accountIds))
      .execute()
  })
}

/** Takes the user out of all workspaces. */
async function removeUser(trx: Transaction<Database>, userId: string): Promise<void> {
  await passOnOwnership(trx, userId)
  await trx.deleteFrom('memberships').where('user_id', '=', userId).execute()
}

/** Keeps an owner in each workspace that has other members: the admin who joined first, otherwise the first member. */
async function passOnOwnership(trx: Transaction<Database>, userId: string): Promise<void> {
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
