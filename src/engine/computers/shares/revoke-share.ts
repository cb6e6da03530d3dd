import type { Transaction } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import { appendEvent } from '../../audit/append-event.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'

/**
 * Revokes a share: its link opens nothing from now on, and what is open by it ends. A share that is revoked already
 * stays as it is. Throws `not_found`.
 */
export async function revokeShare(
  engine: Pick<ComputersContext, 'db' | 'openSessions'>,
  computer: AccessibleComputer<'manage'>,
  id: string,
): Promise<void> {
  const { caller } = computer
  await transaction(engine.db, { kind: 'durable', queue: caller.tokenId }, (trx) => revoke(trx, computer, id))
  engine.openSessions.end({ shareId: id }, 'the share was revoked')
}

async function revoke(trx: Transaction<Database>, computer: AccessibleComputer, id: string): Promise<void> {
  const { id: computerId, accountId } = computer
  const row = await trx
    .selectFrom('shares')
    .select('revoked_at')
    .where('id', '=', id)
    .where('computer_id', '=', computerId)
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  if (!row) throw noSuchShare(id)
  if (row.revoked_at !== null) return
  const set = { revoked_at: Date.now() }
  await trx.updateTable('shares').set(set).where('id', '=', id).execute()
  await trx.updateTable('access_sessions').set(set).where('share_id', '=', id).where('revoked_at', 'is', null).execute()
  const actor = computer.caller.tokenId
  await appendEvent(trx, { accountId, computerId, type: 'share.revoked', actor, data: { shareId: id } })
}

function noSuchShare(id: string): CarrelError {
  const shown = JSON.stringify(id.slice(0, 128))
  return new CarrelError('not_found', `Cannot find share ${shown}: the computer has none of this id`)
}
