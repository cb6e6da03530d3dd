import { transaction } from '../../../db/transaction.ts'
import { asCarrelError } from '../../../errors.ts'
import { lifecyclesWhere } from '../../lifecycle-policy.ts'
import type { OwnedRow } from '../access/look-up.ts'
import type { ComputersContext } from '../computers.ts'
import { assertIdle } from '../durable/assert-idle.ts'
import { assertAtHome } from '../lifecycle/at-home.ts'
import { insertSnapshot } from './new-snapshot.ts'
import { beginDelete } from './snapshot-operations.ts'

/**
 * Takes a snapshot of each computer of this node that keeps its files and has run since its last automatic one, when that
 * is `CARREL_SNAPSHOT_HOURS` ago; and deletes all but the newest `CARREL_SNAPSHOTS_KEPT` automatic ones of it. A failure is
 * logged, and tried again when the next one is due.
 */
export async function takeDueSnapshots(engine: ComputersContext, now: number = Date.now()): Promise<void> {
  const { snapshotIntervalMs } = engine.settings
  if (snapshotIntervalMs === 0) return
  const rows = await engine.db
    .selectFrom('computers')
    .selectAll()
    .select((eb) =>
      eb
        .selectFrom('snapshots')
        .select(({ fn }) => fn.max('snapshots.created_at').as('at'))
        .whereRef('snapshots.computer_id', '=', 'computers.id')
        .where('snapshots.kind', '=', 'automatic')
        .as('last_at'),
    )
    .where('node_id', '=', engine.node.id)
    .where('lifecycle', 'in', lasting)
    .where('account_id', 'is not', null)
    .where('state', 'in', ['running', 'stopped'])
    .execute()
  for (const { last_at, ...row } of rows) {
    const lastAt = Number(last_at ?? row.created_at)
    const hasRun = row.state === 'running' || Number(row.started_at ?? 0) > lastAt
    if (!hasRun || now - lastAt < snapshotIntervalMs) continue
    await takeOne(engine, row as OwnedRow).catch((error: unknown) => {
      const { code } = asCarrelError(error)
      engine.log.warn({ err: error, computer: row.id, code }, 'cannot take an automatic snapshot')
    })
  }
}

async function takeOne(engine: ComputersContext, row: OwnedRow): Promise<void> {
  const doing = 'Cannot take an automatic snapshot'
  const operation = await transaction(engine.db, { kind: 'operational', queue: row.account_id }, async (trx) => {
    await assertAtHome(trx, engine.node, row, doing)
    await assertIdle(trx, row.id, doing)
    const snapshot = await insertSnapshot(trx, row, 'automatic')
    return engine.operations.insert(trx, {
      accountId: row.account_id,
      actor: 'server',
      kind: 'snapshot.create',
      resource: { type: 'snapshot', id: snapshot.id },
    })
  })
  engine.operations.begin(operation)
  await engine.operations.settled(operation.id)
  await deleteOld(engine, row)
}

async function deleteOld(engine: ComputersContext, { id, account_id: accountId }: OwnedRow): Promise<void> {
  const rows = await engine.db
    .selectFrom('snapshots')
    .select('id')
    .where('computer_id', '=', id)
    .where('kind', '=', 'automatic')
    .where('state', 'in', ['ready', 'failed'])
    .orderBy('created_at', 'desc')
    .execute()
  for (const old of rows.slice(engine.settings.snapshotsKept))
    await beginDelete(engine, { id: old.id, accountId, actor: 'server' })
}

const lasting = lifecyclesWhere(({ keepsFiles }) => keepsFiles)
