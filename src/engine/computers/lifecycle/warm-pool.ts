import { transaction } from '../../../db/transaction.ts'
import type { ComputerRow } from '../../../db/schema.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { openUsage } from '../../money/usage/metered.ts'
import { newComputer } from './new-computer.ts'
import { startComputer } from './start.ts'
import type { ComputersContext } from '../computers.ts'

/**
 * Computers of the default size that run already and belong to no account yet, so that the first request for a sandbox
 * finds one running.
 */
export class WarmPool {
  readonly #engine: () => ComputersContext
  readonly #ready: string[] = []
  #filling: Promise<void> | undefined
  #closed = false

  constructor(engine: () => ComputersContext) {
    this.#engine = engine
  }

  get ready(): number {
    return this.#ready.length
  }

  /** Adds a computer that an earlier server had ready. */
  adopt(id: string): void {
    this.#ready.push(id)
  }

  /** Gives a running computer to an account; undefined when none is ready. */
  async take(owner: { accountId: string; name: string; actor: string }): Promise<ComputerRow | undefined> {
    const { db } = this.#engine()
    const id = this.#ready.shift()
    if (id === undefined) return undefined
    // Delayed, so that it does not compete with the request that takes this computer.
    setTimeout(() => this.fill(), refillDelayMs).unref()
    const now = Date.now()
    await transaction(db, 'operational', async (trx) => {
      const set = {
        account_id: owner.accountId,
        name: owner.name,
        created_at: now,
        updated_at: now,
        last_active_at: now,
      }
      const { numUpdatedRows } = await trx
        .updateTable('computers')
        .set(set)
        .where('id', '=', id)
        .where('account_id', 'is', null)
        .executeTakeFirstOrThrow()
      if (numUpdatedRows === 0n) return
      await appendEvent(trx, {
        accountId: owner.accountId,
        computerId: id,
        type: 'computer.claimed',
        actor: owner.actor,
        data: { from: 'warm pool' },
      })
    })
    const row = await db.selectFrom('computers').selectAll().where('id', '=', id).executeTakeFirst()
    if (row?.account_id !== owner.accountId || row.state !== 'running') return undefined
    await openUsage(this.#engine(), row)
    return row
  }

  /** Removes a computer that has stopped by itself. */
  drop(id: string): void {
    const index = this.#ready.indexOf(id)
    if (index >= 0) this.#ready.splice(index, 1)
  }

  fill(): void {
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = undefined
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#filling
  }

  async #fill(): Promise<void> {
    const engine = this.#engine()
    while (!this.#closed && this.#ready.length < engine.settings.warmComputers) {
      const row = newComputer(engine, undefined)
      try {
        await engine.db.insertInto('computers').values(row).execute()
        await engine.locks.computer(row.id, () => startComputer(engine, row, 'server'))
        this.#ready.push(row.id)
      } catch (error) {
        engine.log.warn({ err: error }, 'cannot start a computer for the warm pool')
        return
      }
    }
  }
}

const refillDelayMs = 100
