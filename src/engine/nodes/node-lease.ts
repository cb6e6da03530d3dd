import { transaction } from '../../db/transaction.ts'
import type { Kysely, Transaction } from 'kysely'
import type { Logger } from 'pino'
import { limits } from '../../config/limits.ts'
import { databaseTimeMs } from '../../db/database-time.ts'
import type { Database } from '../../db/schema.ts'
import type { DatabaseHealth } from '../database-health.ts'
import { repeat } from '../repeat.ts'
import type { NodeFacts } from './claim-node.ts'
import { giveUpDuty, takeDuty } from './duties.ts'
import type { ThisNode } from './this-node.ts'

interface Parts {
  db: Kysely<Database>
  node: ThisNode
  log: Logger
  /** Receives whether the database accepts the lease. */
  health: Pick<DatabaseHealth, 'report'>
  /** Returns what others learn of the node, as it is now. */
  facts: () => NodeFacts
  /** Called once when the node is another server's: this server must not do anything any more. */
  onLost: (error: Error) => void
}

/**
 * Keeps this server's node and, on one node at a time, the duty to work for the database as a whole. While the database
 * cannot be reached the server keeps trying and its computers go on: no other server acts on them, whatever the lease
 * says. It ends only when it finds the node claimed by another server, or removed.
 */
export class NodeLease {
  readonly #parts: Parts
  /** On the monotonic clock of this process. */
  #leadsUntil = -Infinity
  #stop: (() => Promise<void>) | undefined
  #isLost = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** True while this server does what is done once for all servers of the database. */
  get leads(): boolean {
    return performance.now() < this.#leadsUntil
  }

  /** Renews the lease at once, and from then on periodically. */
  async start(): Promise<void> {
    this.#stop = repeat(this.#parts.log, limits.nodeRenewMs, () => this.renew())
    await this.renew()
  }

  /** Extends the lease. Reports the loss when another server has claimed the node, or the node was removed. */
  async renew(): Promise<void> {
    if (this.#isLost) return
    const { db, node } = this.#parts
    const beganAt = performance.now()
    const found = await this.#extendOrReport()
    if (found.isHeld) {
      this.#leadsUntil = found.leads ? beganAt + limits.nodeLeaseMs : -Infinity
      return
    }
    this.#isLost = true
    this.#leadsUntil = -Infinity
    this.#parts.onLost(lostError(node, await epochOf(db, node)))
  }

  /** Stops renewing, and gives up the lease and the duty, so that another server does not have to wait for their end. */
  async release(): Promise<void> {
    await this.#stop?.()
    this.#leadsUntil = -Infinity
    if (this.#isLost) return
    const { db, node } = this.#parts
    await transaction(db, 'operational', async (trx) => {
      const now = await databaseTimeMs(trx)
      if (await update(trx, node, { lease_until: now })) await giveUpDuty(trx, duty, node, now)
    })
  }

  async #extendOrReport(): Promise<{ isHeld: boolean; leads: boolean }> {
    const { db, health } = this.#parts
    try {
      const found = await transaction(db, { kind: 'operational', isUrgent: true }, (trx) => this.#extend(trx))
      health.report('lease')
      return found
    } catch (error) {
      health.report('lease', error)
      throw error
    }
  }

  async #extend(trx: Transaction<Database>): Promise<{ isHeld: boolean; leads: boolean }> {
    const { node, facts } = this.#parts
    const now = await databaseTimeMs(trx)
    const isHeld = await update(trx, node, { lease_until: now + limits.nodeLeaseMs, ...facts() })
    return { isHeld, leads: isHeld && (await takeDuty(trx, duty, node, now)) }
  }
}

/** Updates the node's row. Returns false when the node is not this server's any more. */
async function update(
  trx: Transaction<Database>,
  { id, epoch }: ThisNode,
  set: Partial<NodeFacts> & { lease_until: number },
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('nodes')
    .set(set)
    .where('id', '=', id)
    .where('epoch', '=', epoch)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

async function epochOf(db: Kysely<Database>, { id }: ThisNode): Promise<number | undefined> {
  return (await db.selectFrom('nodes').select('epoch').where('id', '=', id).executeTakeFirst())?.epoch
}

function lostError({ id }: ThisNode, epoch: number | undefined): Error {
  return new Error(
    epoch === undefined
      ? `Cannot continue: node ${id} was removed from the database, and with it the computers of this data directory`
      : `Cannot continue: a second server has taken over node ${id}; it uses a copy of this data directory, or this machine was restored from an image`,
  )
}

/** The work that is done once for the whole database. */
const duty = 'database'
