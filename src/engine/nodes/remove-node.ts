import type { Kysely, Transaction } from 'kysely'
import { limits } from '../../config/limits.ts'
import { databaseTimeMs } from '../../db/database-time.ts'
import type { Database } from '../../db/schema.ts'
import { transaction } from '../../db/transaction.ts'
import { CarrelError } from '../../errors.ts'
import { appendEvent } from '../audit/append-event.ts'
import { forgetWork } from './forget-work.ts'
import { revokeOwnerTokens } from './owner-tokens.ts'
import type { ThisNode } from './this-node.ts'

/**
 * Removes a node whose host is gone for good. Its computers are recorded as lost, with their files and snapshots: their names are
 * free again, and deletions that waited for them go on. Its token of the first account ends. Returns the number of its
 * computers. Works in steps; when it is interrupted, another call continues.
 *
 * Throws `not_found`, and `conflict` for the only node and for one that is served. If its server comes back all the same,
 * it finds its node missing and does nothing.
 */
export async function removeNode(db: Kysely<Database>, id: string): Promise<number> {
  const condemned = await condemn(db, id)
  let removed = 0
  for (;;) {
    const count = await step(db, condemned, (trx) => loseComputers(trx, id))
    if (count === 0) break
    removed += count
  }
  for (const table of ['processes', 'snapshots'] as const)
    while ((await step(db, condemned, (trx) => forgetRows(trx, table, id))) > 0);
  await step(db, condemned, async (trx) => {
    await forgetWork(trx, id)
    await revokeOwnerTokens(trx, id)
    await trx.deleteFrom('duties').where('node_id', '=', id).execute()
    await trx.deleteFrom('nodes').where('id', '=', id).execute()
  })
  return removed
}

/** Claims the node for its removal, so that a server that still runs writes nothing for it any more. */
function condemn(db: Kysely<Database>, id: string): Promise<ThisNode> {
  return transaction(db, 'durable', async (trx) => {
    const doing = `Cannot remove node ${JSON.stringify(id.slice(0, 64))}`
    const row = await trx.selectFrom('nodes').selectAll().where('id', '=', id).executeTakeFirst()
    if (!row) throw new CarrelError('not_found', `${doing}: there is no such node`)
    const other = await trx.selectFrom('nodes').select('id').where('id', '!=', id).executeTakeFirst()
    if (!other) throw new CarrelError('conflict', `${doing}: it is the only one`)
    if (row.lease_until > (await databaseTimeMs(trx)))
      throw new CarrelError(
        'conflict',
        `${doing}: its server runs, or did so until a moment ago; stop it and wait ${limits.nodeLeaseMs / 1000} seconds`,
      )
    const epoch = row.epoch + 1
    await trx.updateTable('nodes').set({ epoch }).where('id', '=', id).execute()
    return { id, epoch }
  })
}

/** Runs a step, unless a server has claimed the node since. */
function step<T>(
  db: Kysely<Database>,
  { id, epoch }: ThisNode,
  work: (trx: Transaction<Database>) => Promise<T>,
): Promise<T> {
  return transaction(db, 'durable', async (trx) => {
    const row = await trx.selectFrom('nodes').select('epoch').where('id', '=', id).executeTakeFirst()
    if (row?.epoch !== epoch)
      throw new CarrelError('conflict', `Cannot remove node "${id}": its server has started meanwhile`)
    return work(trx)
  })
}

async function loseComputers(trx: Transaction<Database>, nodeId: string): Promise<number> {
  const rows = await trx
    .selectFrom('computers')
    .select(['id', 'account_id', 'state'])
    .where('node_id', '=', nodeId)
    .limit(rowsPerStep)
    .execute()
  if (rows.length === 0) return 0
  const ids = rows.map(({ id }) => id)
  for (const table of ['ports', 'access_sessions', 'shares', 'ssh_ports', 'ssh_certificates'] as const)
    await trx.deleteFrom(table).where('computer_id', 'in', ids).execute()
  await trx.deleteFrom('computers').where('id', 'in', ids).execute()
  for (const { id, account_id, state } of rows)
    await appendEvent(trx, {
      accountId: account_id,
      computerId: id,
      type: 'computer.deleted',
      actor: 'server',
      data: { from: state, reason: 'lost' },
    })
  return rows.length
}

/** Deletes the records of processes and of snapshots, whose output and files were on the node. */
async function forgetRows(
  trx: Transaction<Database>,
  table: 'processes' | 'snapshots',
  nodeId: string,
): Promise<number> {
  const some = trx.selectFrom(table).select('id').where('node_id', '=', nodeId).limit(rowsPerStep)
  const { numDeletedRows } = await trx.deleteFrom(table).where('id', 'in', some).executeTakeFirst()
  return Number(numDeletedRows)
}

const rowsPerStep = 200
