import { transaction } from '../../db/transaction.ts'
import type { Context } from '../context.ts'
import { deletionPlan } from './deletion-plan.ts'
import type { DeletionSubject } from './deletion-subject.ts'
import { userColumns } from './user-columns.ts'

/**
 * Deletes the rows that stand for nothing on the host, and the user's name in rows that stay, in one transaction: after
 * it nobody can authenticate as this user. Returns the number of rows that were deleted or changed.
 */
export function deleteRows({ db }: Pick<Context, 'db'>, subject: DeletionSubject): Promise<number> {
  return transaction(db, 'durable', async (trx) => {
    let count = 0
    for (const plan of Object.values(deletionPlan)) {
      if (typeof plan !== 'function') continue
      for (const { numDeletedRows } of await plan(trx, subject)) count += Number(numDeletedRows)
    }
    if (subject.kind === 'workspace') return count
    for (const columns of Object.values(userColumns))
      for (const plan of Object.values(columns)) {
        if (typeof plan !== 'function') continue
        for (const { numUpdatedRows } of await plan(trx, subject)) count += Number(numUpdatedRows)
      }
    return count
  })
}
