import type { Transaction } from 'kysely'
import type { ComputerRow, Database, OperationRow, SnapshotRow } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import { assertHoldsNode } from '../../nodes/holds-node.ts'
import { operationOfRequest, runningOn, type OperationWork } from '../../operations/operations.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { assertIdle, underWay } from '../durable/assert-idle.ts'
import { assertAtHome } from '../lifecycle/at-home.ts'
import type { AccessibleSnapshot } from './find-snapshot.ts'
import { insertSnapshot } from './new-snapshot.ts'
import { removeSnapshot } from './remove-snapshot.ts'
import { takeSnapshot } from './take-snapshot.ts'

export interface BegunSnapshot {
  snapshot: SnapshotRow
  operation: OperationRow
}

/**
 * Begins to take a snapshot of a computer, which runs on. Throws `conflict`, with the state, when the computer is being
 * changed, and `limit_reached`.
 *
 * @param requestKey the Idempotency-Key of the request: a repeated one returns the same snapshot
 */
export async function beginSnapshot(
  engine: ComputersContext,
  { id, row, accountId, caller }: AccessibleComputer<'manage'>,
  { requestKey }: { requestKey?: string | undefined } = {},
): Promise<BegunSnapshot> {
  const doing = 'Cannot take a snapshot of the computer'
  const begun = await transaction(engine.db, { kind: 'operational', queue: accountId }, async (trx) => {
    await assertAtHome(trx, engine.node, row, doing)
    const earlier = requestKey && (await operationOfRequest(trx, accountId, requestKey))
    const known =
      earlier &&
      (await trx.selectFrom('snapshots').selectAll().where('id', '=', earlier.resource_id).executeTakeFirst())
    if (earlier && known) return { snapshot: known, operation: earlier }
    if (earlier) throw new CarrelError('conflict', `${doing}: its Idempotency-Key was for something else`)
    await assertIdle(trx, id, doing)
    const computer = await trx.selectFrom('computers').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    const snapshot = await insertSnapshot(trx, computer as ComputerRow & { account_id: string }, 'manual')
    const operation = await engine.operations.insert(trx, {
      accountId,
      actor: caller.tokenId,
      kind: 'snapshot.create',
      resource: { type: 'snapshot', id: snapshot.id },
      requestKey,
    })
    return { snapshot, operation }
  })
  engine.operations.begin(begun.operation)
  return begun
}

/**
 * Begins to delete a snapshot. The same request again, while that is under way, returns the same operation. Throws
 * `conflict` while the snapshot is being taken, and while a computer that is created from it does not exist yet.
 */
export function beginDeleteSnapshot(
  engine: ComputersContext,
  { id, row: { account_id: accountId }, caller }: AccessibleSnapshot,
): Promise<BegunSnapshot> {
  return beginDelete(engine, { id, accountId, actor: caller.tokenId })
}

/** Begins to delete a snapshot as `beginDeleteSnapshot` does, for the server itself. */
export async function beginDelete(
  engine: ComputersContext,
  { id, accountId, actor }: { id: string; accountId: string; actor: string },
): Promise<BegunSnapshot> {
  const doing = 'Cannot delete the snapshot'
  const begun = await transaction(engine.db, { kind: 'operational', queue: accountId }, async (trx) => {
    await assertHoldsNode(trx, engine.node)
    const row = await trx.selectFrom('snapshots').selectAll().where('id', '=', id).executeTakeFirst()
    if (!row) throw new CarrelError('not_found', `${doing}: it has been deleted`)
    const running = (await runningOn({ db: trx }, [id])).get(id)
    if (running?.kind === 'snapshot.delete') return { snapshot: row, operation: running }
    if (row.state === 'creating')
      throw new CarrelError('conflict', `${doing}: it is being taken`, { details: { state: row.state } })
    const user = await trx
      .selectFrom('computers')
      .select(['id', 'name'])
      .where('snapshot_id', '=', id)
      .where('started_at', 'is', null)
      .where('state', 'in', ['provisioning', 'starting', 'stopped'])
      .executeTakeFirst()
    if (user)
      throw new CarrelError('conflict', `${doing}: computer "${user.name}" is being created from it`, {
        details: { computerId: user.id },
      })
    await assertNotRestored(trx, row, doing)
    const snapshot = { ...row, state: 'deleting' as const, updated_at: Date.now() }
    const { state, updated_at } = snapshot
    await trx.updateTable('snapshots').set({ state, updated_at }).where('id', '=', id).execute()
    const operation = await engine.operations.insert(trx, {
      accountId,
      actor,
      kind: 'snapshot.delete',
      resource: { type: 'snapshot', id },
    })
    return { snapshot, operation }
  })
  engine.operations.begin(begun.operation)
  return begun
}

/** Throws `conflict` while the files of a computer are being replaced by those of the snapshot. */
async function assertNotRestored(trx: Transaction<Database>, row: SnapshotRow, doing: string): Promise<void> {
  const running = await trx
    .selectFrom('operations')
    .select(['input', 'kind'])
    .where('account_id', '=', row.account_id)
    .where('kind', '=', 'computer.restore')
    .where('state', '=', 'running')
    .execute()
  const restore = running.find(({ input }) => input?.includes(JSON.stringify(row.id)))
  if (restore) throw underWay(doing, restore)
}

/** What the operations of snapshots do. Each one may be called again after a part of it was done. */
export function snapshotWorks(context: () => ComputersContext): Record<`snapshot.${string}`, OperationWork> {
  return {
    'snapshot.create': ({ resource_id: id, actor }) => takeSnapshot(context(), id, actor),
    'snapshot.delete': async ({ resource_id: id }) => {
      const engine = context()
      const row = await engine.db.selectFrom('snapshots').selectAll().where('id', '=', id).executeTakeFirst()
      if (row) await removeSnapshot(engine, row)
    },
  }
}
