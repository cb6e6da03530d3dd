import type { Transaction } from 'kysely'
import { DatabaseFailure } from '../../../database-failure.ts'
import type { ComputerRow, Database } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { openUsage } from '../../money/usage/metered.ts'
import { assertHoldsNode } from '../../nodes/holds-node.ts'
import type { ThisNode } from '../../nodes/this-node.ts'
import { assertRoom } from './assert-room.ts'
import { atHome } from './at-home.ts'
import { newComputer } from './new-computer.ts'
import { ownComputer } from './own-computer.ts'
import { endUnrecorded, startComputer } from './start.ts'
import type { ComputersContext } from '../computers.ts'

/** Whose a sandbox becomes, under which name, and the token that asks for it. */
export interface SandboxOwner {
  accountId: string
  name: string
  actor: string
}

/**
 * Computers of the default size that run already and belong to no account yet, so that the first request for a sandbox
 * finds one running.
 */
export class WarmPool {
  readonly #engine: () => ComputersContext
  readonly #ready: string[] = []
  /** The computer that the server itself uses now, until it stops or is given back. */
  #lent: string | undefined
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

  /**
   * Gives a running computer to an account; undefined when none is ready, or when the account has a computer of the name
   * by now. Throws `limit_reached` when the account has no room for another computer.
   */
  async take(owner: SandboxOwner): Promise<ComputerRow | undefined> {
    // Delayed, so that it does not compete with the request that takes this computer or creates one.
    setTimeout(() => this.fill(), refillDelayMs).unref()
    const id = this.#ready.shift()
    if (id === undefined) return undefined
    try {
      return await this.#give(id, owner)
    } catch (error) {
      // Whether the account has the computer is not known where the database failed.
      if (error instanceof DatabaseFailure) await endUnrecorded(this.#engine(), { id, lifecycle: 'sandbox' })
      else this.#ready.unshift(id)
      throw error
    }
  }

  async #give(id: string, owner: SandboxOwner): Promise<ComputerRow | undefined> {
    const { db, node } = this.#engine()
    const outcome = await transaction(db, 'operational', (trx) => claim(trx, node, id, owner))
    if (outcome === 'name taken') this.#ready.unshift(id)
    if (outcome !== 'claimed') return undefined
    const row = await ownComputer({ db, node }, id)
    if (row?.account_id !== owner.accountId || row.state !== 'running') return undefined
    await openUsage(this.#engine(), row)
    return row
  }

  /**
   * Runs work on the computer that would be given away last, which nobody gets meanwhile. Returns undefined, without
   * having run it, when none is ready or one is lent already.
   */
  async lend<Result>(work: (id: string) => Promise<Result>): Promise<Result | undefined> {
    const id = this.#lent === undefined ? this.#ready.pop() : undefined
    if (id === undefined) return undefined
    this.#lent = id
    try {
      return await work(id)
    } finally {
      if (this.#lent === id) this.#ready.push(id)
      this.#lent = undefined
    }
  }

  /** Removes a computer that has stopped by itself. */
  drop(id: string): void {
    if (this.#lent === id) this.#lent = undefined
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
    const lent = () => Number(this.#lent !== undefined)
    while (!this.#closed && this.#ready.length + lent() < engine.settings.warmComputers) {
      const row = newComputer(engine, undefined)
      try {
        await transaction(engine.db, 'operational', async (trx) => {
          await assertHoldsNode(trx, engine.node)
          await trx.insertInto('computers').values(row).execute()
        })
        await engine.locks.computer(row.id, () => startComputer(engine, row, 'server'))
        this.#ready.push(row.id)
      } catch (error) {
        engine.log.warn({ err: error }, 'cannot start a computer for the warm pool')
        return
      }
    }
  }
}

/** Gives a warm computer to an account, unless the account has one of the name or somebody else took it. */
async function claim(
  trx: Transaction<Database>,
  node: ThisNode,
  id: string,
  { accountId, name, actor }: SandboxOwner,
): Promise<'claimed' | 'name taken' | 'gone'> {
  const existing = await trx
    .selectFrom('computers')
    .select('id')
    .where('account_id', '=', accountId)
    .where('name', '=', name)
    .executeTakeFirst()
  if (existing) return 'name taken'
  await assertRoom(trx, accountId)
  const now = Date.now()
  const { numUpdatedRows } = await trx
    .updateTable('computers')
    .set({ account_id: accountId, name, created_at: now, updated_at: now, last_active_at: now })
    // A computer of the pool has never had another home.
    .where(atHome(node, { id, fence: 0 }))
    .where('account_id', 'is', null)
    .executeTakeFirstOrThrow()
  if (numUpdatedRows === 0n) return 'gone'
  await appendEvent(trx, {
    accountId,
    computerId: id,
    type: 'computer.claimed',
    actor,
    data: { from: 'warm pool' },
  })
  return 'claimed'
}

const refillDelayMs = 100
