import type { SessionRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import type { Caller } from '../../caller.ts'
import { findComputer, type AccessibleComputer } from '../../computers/access/open-computer.ts'
import type { Context } from '../../context.ts'
import { otherNode } from '../../nodes/other-node.ts'
import type { EnvironmentsContext } from '../environments.ts'

/** Returns a session of the caller's account. Throws `not_found` when the account has none of that id. */
export async function findSession(
  { db }: Pick<Context, 'db'>,
  { accountId }: Pick<Caller, 'accountId'>,
  id: string,
): Promise<SessionRow> {
  const row = await db
    .selectFrom('sessions')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  if (row) return row
  throw new CarrelError(
    'not_found',
    `Cannot find session ${JSON.stringify(id.slice(0, 64))}: the account has none of that id`,
    { details: { field: 'session_id' } },
  )
}

/** A session that is ready, with its computer. */
export interface OpenSession {
  row: SessionRow
  computer: AccessibleComputer<'run'>
}

/**
 * Returns a session of the caller's account in which programs can run. Throws `not_found`, `other_node` for one of
 * another server, and `conflict` with the status for one that is not ready.
 */
export async function openSession(engine: EnvironmentsContext, caller: Caller, id: string): Promise<OpenSession> {
  const row = await findSession(engine, caller, id)
  await assertHere(engine, row)
  assertReady(row)
  const computer = await findComputer(engine, caller, { id }, 'run')
  if (computer?.row.state === 'running') return { row, computer }
  throw notReady({ ...row, status: 'terminated' })
}

/** Throws `other_node` for a session of another server. */
export async function assertHere({ db, node }: Pick<Context, 'db' | 'node'>, row: SessionRow): Promise<void> {
  if (row.node_id !== node.id) throw await otherNode(db, 'Cannot use the session', row.node_id)
}

/** Throws `conflict` for a session that is not ready, or whose time to live is over. */
export function assertReady(row: SessionRow): void {
  if (row.status !== 'ready') throw notReady(row)
  if (row.expires_at <= Date.now()) throw notReady({ ...row, status: 'terminated' })
}

export function notReady({ status }: Pick<SessionRow, 'status'>): CarrelError {
  return new CarrelError('conflict', `Cannot use the session: it is ${status}`, { details: { status } })
}
