import { transaction } from '../../../db/transaction.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { noSession } from './read-session.ts'

/**
 * Revokes an access session: its token is refused from now on, and its open connections end. A session that is revoked
 * already stays as it is. Throws `not_found`.
 */
export async function revokeSession(
  engine: Pick<ComputersContext, 'db' | 'openSessions'>,
  computer: AccessibleComputer<'run'>,
  id: string,
): Promise<void> {
  const { caller, accountId } = computer
  await transaction(engine.db, { kind: 'durable', queue: caller.tokenId }, async (trx) => {
    const row = await trx
      .selectFrom('access_sessions')
      .select('revoked_at')
      .where('id', '=', id)
      .where('computer_id', '=', computer.id)
      .where('account_id', '=', accountId)
      .executeTakeFirst()
    if (!row) throw noSession(id)
    if (row.revoked_at !== null) return
    await trx.updateTable('access_sessions').set({ revoked_at: Date.now() }).where('id', '=', id).execute()
  })
  engine.openSessions.end({ sessionId: id }, 'the access session was revoked')
}
