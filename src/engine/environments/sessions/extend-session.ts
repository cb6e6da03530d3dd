import type { SessionRow } from '../../../db/schema.ts'
import type { Caller } from '../../caller.ts'
import { holdsNode } from '../../nodes/holds-node.ts'
import type { EnvironmentsContext } from '../environments.ts'
import { assertReady, findSession, notReady, assertHere } from './find-session.ts'

/**
 * Lets a session last for another time to live from now on; a session that lasts longer anyway stays as it is. Throws
 * `not_found`, `other_node`, and `conflict` for a session that is not ready.
 */
export async function extendSession(
  engine: EnvironmentsContext,
  caller: Caller,
  id: string,
  ttlMs: number,
): Promise<SessionRow> {
  const before = await findSession(engine, caller, id)
  await assertHere(engine, before)
  assertReady(before)
  const now = Date.now()
  if (before.expires_at >= now + ttlMs) return before
  const row = await engine.db
    .updateTable('sessions')
    .set({ expires_at: now + ttlMs })
    .where('id', '=', id)
    .where('status', '=', 'ready')
    .where('expires_at', '>', now)
    .where(holdsNode(engine.node))
    .returningAll()
    .executeTakeFirst()
  if (!row) throw notReady({ status: 'terminated' })
  engine.sessionWatch.watch(row)
  return row
}
