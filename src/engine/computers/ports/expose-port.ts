import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import { useSandbox } from '../lifecycle/use-sandbox.ts'
import type { Caller } from '../../caller.ts'
import { appendEvent } from '../../audit/append-event.ts'
import type { ComputersContext } from '../computers.ts'

export interface ExposedPort {
  computerId: string
  port: number
  exposedAtMs: number
}

/** Makes a port reachable by its preview name. Exposing it again gives the same answer. */
export async function exposePort(
  engine: ComputersContext,
  caller: Caller,
  sessionKey: string,
  port: number,
): Promise<ExposedPort> {
  const { computer, done } = await useSandbox(engine, caller, sessionKey)
  try {
    const computerId = computer.id
    const exposed = await engine.db.selectFrom('ports').selectAll().where('computer_id', '=', computerId).execute()
    const existing = exposed.find((row) => row.port === port)
    if (existing) return { computerId, port, exposedAtMs: existing.created_at }
    if (exposed.length >= limits.portsPerComputer) {
      throw new CarrelError(
        'limit_reached',
        `Cannot expose port ${port}: the sandbox has ${limits.portsPerComputer} exposed ports, which is the limit`,
      )
    }
    const exposedAtMs = Date.now()
    await engine.db.transaction().execute(async (trx) => {
      await trx
        .insertInto('ports')
        .values({ computer_id: computerId, port, created_at: exposedAtMs })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
      await appendEvent(trx, {
        accountId: caller.accountId,
        computerId,
        type: 'port.exposed',
        actor: caller.tokenId,
        data: { port },
      })
    })
    return { computerId, port, exposedAtMs }
  } finally {
    done()
  }
}
