import type { Transaction } from 'kysely'
import type { Database, OperationRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { runningOn } from '../../operations/operations.ts'

/** Throws `conflict` when an operation on the computer is under way. */
export async function assertIdle(trx: Transaction<Database>, computerId: string, doing: string): Promise<void> {
  const running = (await runningOn({ db: trx }, [computerId])).get(computerId)
  if (running) throw underWay(doing, running)
}

/** Returns the error for a request that has to wait for an operation. */
export function underWay(doing: string, { kind }: Pick<OperationRow, 'kind'>): CarrelError {
  return new CarrelError('conflict', `${doing}: ${kind} is under way; wait for it to end`, {
    details: { operation: kind },
  })
}
