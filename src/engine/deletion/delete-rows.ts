import { durableTransaction } from '../../db/durable-transaction.ts'
import type { DeletionSubject } from './deletion-subject.ts'
import { personColumns } from './person-columns.ts'
import { deletionPlan } from './deletion-plan.ts'
import type { Context } from '../context.ts'

/**
 * Deletes what no part of the host stands behind, and the person's name where rows stay, in one transaction: after it nobody can come in
 * as this person any more. Gives how many rows there were.
 */
export function deleteRows({ db }: Pick<Context, 'db'>, leaving: DeletionSubject): Promise<number> {
  return durableTransaction(db, async (trx) => {
    let count = 0
    for (const fate of Object.values(deletionPlan)) {
      if (typeof fate !== 'function') continue
      for (const { numDeletedRows } of await fate(trx, leaving)) count += Number(numDeletedRows)
    }
    for (const columns of Object.values(personColumns))
      for (const fate of Object.values(columns)) {
        if (typeof fate !== 'function') continue
        for (const { numUpdatedRows } of await fate(trx, leaving)) count += Number(numUpdatedRows)
      }
    return count
  })
}
