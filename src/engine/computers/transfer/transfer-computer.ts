import type { Transaction } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { assertRole } from '../../identity/accounts/roles.ts'
import type { Authenticated } from '../../identity/accounts/tokens.ts'
import { enterWorkspace } from '../../identity/workspaces/enter-workspace.ts'
import { closeUsage, openUsage } from '../../money/usage/metered.ts'
import type { OwnedRow } from '../access/look-up.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { assertCredit } from '../credit/assert-credit.ts'
import { assertIdle } from '../durable/assert-idle.ts'
import { assertAtHome } from '../lifecycle/at-home.ts'
import { assertRoom } from '../lifecycle/assert-room.ts'
import { assertSnapshotRoom } from '../snapshots/new-snapshot.ts'
import { endAccess, forgetProcesses } from './end-access.ts'

interface Transfer {
  computer: AccessibleComputer<'manage'>
  /** The account that the computer is to belong to. */
  target: Authenticated
}

const doing = 'Cannot transfer the computer'

/**
 * Gives a computer with its snapshots to another workspace. Its programs end, and with them whatever the old workspace
 * has open on it; SSH keys and certificates of that one do not open it any more; from that moment on the new workspace pays. The caller is an admin of the old workspace and a member of
 * the new one. Throws `not_found` for a workspace that the token gives no access to, `forbidden`, `conflict` with the state
 * and while an operation is under way, `already_exists` for a name that the new workspace has, and `limit_reached` or
 * `out_of_credits` of the new workspace.
 */
export async function transferComputer(
  engine: ComputersContext,
  computer: AccessibleComputer<'manage'>,
  { caller, targetId }: { caller: Authenticated; targetId: string },
): Promise<{ row: OwnedRow; target: Authenticated }> {
  assertRole(caller, 'admin')
  const target = await enterWorkspace(engine, caller, targetId)
  if (target.accountId === computer.accountId)
    throw new CarrelError('invalid_request', `${doing}: it is in that workspace already`, {
      details: { field: 'target_org_id' },
    })
  await assertCredit(engine, target)
  const transfer = { computer, target }
  const row = await engine.locks.computer(computer.id, async () => {
    await transaction(engine.db, 'read', (trx) => check(engine, trx, transfer))
    const runs = (await engine.driver.get(computer.id))?.running === true
    if (runs) await engine.driver.endPrograms(computer.id)
    await closeUsage(engine, computer.id)
    try {
      await transaction(engine.db, { kind: 'operational', queue: computer.accountId }, (trx) =>
        move(engine, trx, transfer),
      )
    } finally {
      const now = await engine.db.selectFrom('computers').selectAll().where('id', '=', computer.id).executeTakeFirst()
      if (runs && now) await openUsage(engine, now)
    }
    endAccess(engine, computer.id)
    await forgetProcesses(engine, computer)
    return engine.db.selectFrom('computers').selectAll().where('id', '=', computer.id).executeTakeFirstOrThrow()
  })
  return { row: row as OwnedRow, target }
}

async function check(
  engine: ComputersContext,
  trx: Transaction<Database>,
  { computer: { id, row: opened, accountId }, target }: Transfer,
): Promise<OwnedRow> {
  await assertAtHome(trx, engine.node, opened, doing)
  await assertIdle(trx, id, doing)
  const row = await trx.selectFrom('computers').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  if (row.account_id !== accountId) throw new CarrelError('not_found', `${doing}: it belongs to another workspace now`)
  if (!['running', 'stopped', 'failed'].includes(row.state))
    throw new CarrelError('conflict', `${doing}: it is ${row.state}`, { details: { state: row.state } })
  const taken = await trx
    .selectFrom('computers')
    .select('id')
    .where('account_id', '=', target.accountId)
    .where('name', '=', row.name)
    .executeTakeFirst()
  if (taken)
    throw new CarrelError(
      'already_exists',
      `${doing}: the other workspace has one named "${row.name}"; rename it first`,
      {
        details: { name: row.name },
      },
    )
  await assertRoom(trx, target.accountId)
  await assertSnapshotRoom(trx, target.accountId, await countSnapshots(trx, id))
  return row as OwnedRow
}

async function move(engine: ComputersContext, trx: Transaction<Database>, transfer: Transfer): Promise<void> {
  const { computer, target } = transfer
  const { id, accountId } = computer
  await check(engine, trx, transfer)
  const busy = await trx
    .selectFrom('snapshots')
    .select('state')
    .where('computer_id', '=', id)
    .where('state', 'in', ['creating', 'deleting'])
    .executeTakeFirst()
  if (busy)
    throw new CarrelError('conflict', `${doing}: one of its snapshots is ${busy.state}`, {
      details: { state: busy.state },
    })
  const set = { account_id: target.accountId }
  await trx
    .updateTable('computers')
    // The keys that it was created with are those of the giver.
    .set({ ...set, authorized_keys: null, updated_at: Date.now() })
    .where('id', '=', id)
    .execute()
  await trx.updateTable('snapshots').set(set).where('computer_id', '=', id).execute()
  await trx.updateTable('compute_marks').set(set).where('computer_id', '=', id).execute()
  for (const table of ['ssh_certificates', 'ports', 'shares', 'access_sessions'] as const)
    await trx.deleteFrom(table).where('computer_id', '=', id).execute()
  const event = { computerId: id, actor: target.tokenId }
  const data = { from: accountId, to: target.accountId }
  await appendEvent(trx, { ...event, accountId, type: 'computer.given', data })
  await appendEvent(trx, { ...event, accountId: target.accountId, type: 'computer.received', data })
}

async function countSnapshots(trx: Transaction<Database>, computerId: string): Promise<number> {
  const { count } = await trx
    .selectFrom('snapshots')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('computer_id', '=', computerId)
    .executeTakeFirstOrThrow()
  return Number(count)
}
