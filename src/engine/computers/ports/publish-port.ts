import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database, PortRow, PortVisibility } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import { appendEvent } from '../../audit/append-event.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { assertAtHome } from '../lifecycle/at-home.ts'
import { newPort } from './new-port.ts'

export interface PublishedPort {
  port: number
  name?: string | undefined
  /** Default: that of the port so far, else public. */
  visibility?: PortVisibility | undefined
}

type PortsContext = Pick<ComputersContext, 'db' | 'node' | 'exposedPorts' | 'portVisits'>

/** Returns the published ports of a computer, ascending. */
export function listPorts(
  { db }: Pick<ComputersContext, 'db'>,
  { id }: Pick<AccessibleComputer, 'id'>,
): Promise<PortRow[]> {
  return db.selectFrom('ports').selectAll().where('computer_id', '=', id).orderBy('port').execute()
}

/**
 * Publishes a port of a computer, running or not, or changes how it is published. Connections that are open end when the
 * port becomes private. Throws `limit_reached`.
 */
export async function publishPort(
  engine: PortsContext,
  { id: computerId, accountId, caller, row }: AccessibleComputer<'run'>,
  { port, name, visibility }: PublishedPort,
): Promise<PortRow> {
  const published = await transaction(engine.db, { kind: 'operational', queue: accountId }, async (trx) => {
    await assertAtHome(trx, engine.node, row, `Cannot publish port ${port}`)
    const now = Date.now()
    const known = await trx.selectFrom('ports').selectAll().where('computer_id', '=', computerId).execute()
    const existing = known.find((one) => one.port === port)
    if (!existing && known.length >= limits.portsPerComputer)
      throw new CarrelError(
        'limit_reached',
        `Cannot publish port ${port}: the computer has ${limits.portsPerComputer} published ports, which is the limit`,
      )
    const before = existing ?? newPort(computerId, port, now)
    const after = { ...before, name: name ?? before.name, visibility: visibility ?? before.visibility, updated_at: now }
    await write(trx, after, existing !== undefined)
    const data = { port, visibility: after.visibility }
    await appendEvent(trx, { accountId, computerId, type: 'port.exposed', actor: caller.tokenId, data })
    return after
  })
  engine.exposedPorts.forget(computerId)
  if (published.visibility === 'private') engine.portVisits.end(computerId, port)
  return published
}

/** Ends the publication of a port and the connections to it, and returns what it was. Throws `not_found` when it is not published. */
export async function unpublishPort(
  engine: PortsContext,
  { id: computerId, accountId, caller, row }: AccessibleComputer<'run'>,
  port: number,
): Promise<PortRow> {
  const deleted = await transaction(engine.db, { kind: 'operational', queue: accountId }, async (trx) => {
    await assertAtHome(trx, engine.node, row, `Cannot delete port ${port}`)
    const known = await trx
      .deleteFrom('ports')
      .where('computer_id', '=', computerId)
      .where('port', '=', port)
      .returningAll()
      .executeTakeFirst()
    if (!known) throw new CarrelError('not_found', `Cannot delete port ${port}: it is not published`)
    await appendEvent(trx, { accountId, computerId, type: 'port.closed', actor: caller.tokenId, data: { port } })
    return known
  })
  engine.exposedPorts.forget(computerId)
  engine.portVisits.end(computerId, port)
  return deleted
}

async function write(trx: Transaction<Database>, row: PortRow, exists: boolean): Promise<void> {
  if (!exists) return void (await trx.insertInto('ports').values(row).execute())
  const { name, visibility, updated_at } = row
  await trx
    .updateTable('ports')
    .set({ name, visibility, updated_at })
    .where('computer_id', '=', row.computer_id)
    .where('port', '=', row.port)
    .execute()
}
