import { transaction } from '../../../db/transaction.ts'
import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import { appendEvent } from '../../audit/append-event.ts'
import type { Context } from '../../context.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { newPort } from './new-port.ts'
import { assertAtHome } from '../lifecycle/at-home.ts'

export interface ExposedPort {
  port: number
  exposedAtMs: number
}

/**
 * Makes a port of a computer reachable by its preview name. Exposing it again returns the first exposure. Throws
 * `limit_reached`.
 */
export async function exposePort(
  engine: Pick<Context, 'db' | 'node'>,
  { id: computerId, accountId, caller, row }: AccessibleComputer<'run'>,
  port: number,
): Promise<ExposedPort> {
  return transaction(engine.db, { kind: 'operational', queue: accountId }, async (trx) => {
    await assertAtHome(trx, engine.node, row, `Cannot expose port ${port}`)
    const exposed = await trx.selectFrom('ports').selectAll().where('computer_id', '=', computerId).execute()
    const existing = exposed.find((row) => row.port === port)
    if (existing) return { port, exposedAtMs: existing.created_at }
    if (exposed.length >= limits.portsPerComputer)
      throw new CarrelError(
        'limit_reached',
        `Cannot expose port ${port}: the sandbox has ${limits.portsPerComputer} exposed ports, which is the limit`,
      )
    const exposedAtMs = Date.now()
    await trx
      .insertInto('ports')
      .values(newPort(computerId, port, exposedAtMs))
      .execute()
    const event = { accountId, computerId, type: 'port.exposed', actor: caller.tokenId, data: { port } }
    await appendEvent(trx, event)
    return { port, exposedAtMs }
  })
}
