import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database, InteractionRow, SessionRow } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import type { EnvironmentsContext } from '../environments.ts'
import { assertReady } from '../sessions/find-session.ts'

export type NewInteraction = Pick<InteractionRow, 'id' | 'kind' | 'shell' | 'command'>

/**
 * Records an interaction of a session before it begins. Throws `conflict` when the session is not ready any more, or while
 * its persistent shell runs another command, and `limit_reached`.
 */
export async function insertInteraction(
  { db, node }: Pick<EnvironmentsContext, 'db' | 'node'>,
  session: SessionRow,
  { command, ...wanted }: NewInteraction,
): Promise<InteractionRow> {
  const row: InteractionRow = {
    ...wanted,
    session_id: session.id,
    account_id: session.account_id,
    node_id: node.id,
    command: command.slice(0, limits.interactionCommandLength),
    status: 'pending',
    reason: null,
    exit_code: null,
    success: null,
    message: null,
    stdout: null,
    stderr: null,
    truncated: 0,
    created_at: Date.now(),
    ended_at: null,
    duration_ms: null,
  }
  await transaction(db, { kind: 'operational', queue: session.account_id }, async (trx) => {
    await count(trx, session)
    if (row.shell === 'persistent') await assertShellIsFree(trx, session.id)
    await trx.insertInto('interactions').values(row).execute()
  })
  return row
}

/** Counts the interaction on its session, if the session is ready and has room for it. */
async function count(trx: Transaction<Database>, { id }: SessionRow): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('sessions')
    .set((eb) => ({ interaction_count: eb('interaction_count', '+', 1) }))
    .where('id', '=', id)
    .where('status', '=', 'ready')
    .where('interaction_count', '<', limits.interactionsPerSession)
    .executeTakeFirst()
  if (numUpdatedRows === 1n) return
  assertReady(await trx.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirstOrThrow())
  throw new CarrelError(
    'limit_reached',
    `Cannot do more in the session: it has ${limits.interactionsPerSession} interactions, which is the limit`,
    { details: { limit: limits.interactionsPerSession } },
  )
}

async function assertShellIsFree(trx: Transaction<Database>, sessionId: string): Promise<void> {
  const busy = await trx
    .selectFrom('interactions')
    .select('id')
    .where('session_id', '=', sessionId)
    .where('shell', '=', 'persistent')
    .where('status', '=', 'pending')
    .executeTakeFirst()
  if (!busy) return
  throw new CarrelError(
    'conflict',
    `Cannot run the command: the persistent shell still runs another one, "${busy.id}"; wait for it to end`,
    { details: { interaction: busy.id } },
  )
}
