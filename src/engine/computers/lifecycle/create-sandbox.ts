import type { ComputerRow, ComputerState } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { unindexed } from '../../../db/unindexed.ts'
import { asCarrelError } from '../../../errors.ts'
import type { Caller } from '../../caller.ts'
import { lookUp } from '../access/look-up.ts'
import { lifecyclesWhere } from '../../lifecycle-policy.ts'
import { assertCredit } from '../credit/assert-credit.ts'
import { assertHoldsNode } from '../../nodes/holds-node.ts'
import { assertRoom } from './assert-room.ts'
import { destroyComputer } from './destroy.ts'
import { newComputer } from './new-computer.ts'
import { ownComputer } from './own-computer.ts'
import type { SandboxOwner } from './warm-pool.ts'
import type { ComputersContext } from '../computers.ts'
import type { Context } from '../../context.ts'

/**
 * Creates the caller's sandbox of a name, holding the lock of that name, and returns its row; a sandbox that another
 * request has just created, here or at another server, is returned instead. The sandbox may not run yet. Throws
 * `limit_reached` when the account has reached its limit and no computer that can be deleted.
 */
export function createSandbox(engine: ComputersContext, caller: Caller, name: string): Promise<ComputerRow> {
  const { accountId, tokenId: actor } = caller
  return engine.locks.sandboxName(accountId, name, async () => {
    const existing = await lookUp(engine, caller, { name })
    if (existing) return existing.row
    await assertCredit(engine, caller)
    for (let attempt = 0; ; attempt++)
      try {
        return await createInRoom(engine, { accountId, name, actor })
      } catch (error) {
        // Others may take the room that this makes.
        const mayRetry = asCarrelError(error).code === 'limit_reached' && attempt < evictableAtOnce
        if (!mayRetry || !(await evictOldest(engine, accountId))) throw error
      }
  })
}

async function createInRoom(engine: ComputersContext, owner: SandboxOwner): Promise<ComputerRow> {
  const warm = await engine.warmPool.take(owner)
  if (warm) return warm
  const row = newComputer(engine, owner)
  return transaction(engine.db, 'operational', async (trx) => {
    const { accountId, name } = owner
    await assertHoldsNode(trx, engine.node)
    const existing = await trx
      .selectFrom('computers')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('name', '=', name)
      .executeTakeFirst()
    if (existing) return existing
    await assertRoom(trx, accountId)
    await trx.insertInto('computers').values(row).execute()
    return row
  })
}

/**
 * Deletes the account's least recently started sandbox on this node among those that are stopped or failed: a stopped
 * sandbox has no files any more. Returns false when there is none.
 */
async function evictOldest(engine: ComputersContext, accountId: string): Promise<boolean> {
  for (const { id } of await oldestStopped(engine, accountId))
    if (await engine.locks.computer(id, () => deleteStopped(engine, id))) return true
  return false
}

/** Returns several candidates, as any of them may be started meanwhile. */
function oldestStopped(engine: Pick<Context, 'db' | 'node'>, accountId: string): Promise<{ id: string }[]> {
  return engine.db
    .selectFrom('computers')
    .select('id')
    .where('account_id', '=', accountId)
    .where(unindexed('node_id'), '=', engine.node.id)
    .where('state', 'in', evictableStates)
    .where('lifecycle', 'in', evictableLifecycles)
    .orderBy('last_active_at')
    .limit(evictableAtOnce)
    .execute()
}

/** Deletes a computer that is stopped. Returns false when it was started in between. */
async function deleteStopped(engine: ComputersContext, id: string): Promise<boolean> {
  const row = await ownComputer(engine, id)
  if (!row || !evictableStates.includes(row.state) || engine.activity.inUse(id)) return false
  await destroyComputer(engine, id, 'server', 'room for another')
  return true
}

const evictableAtOnce = 8
const evictableStates: ComputerState[] = ['stopped', 'failed']
const evictableLifecycles = lifecyclesWhere(({ isEvictable }) => isEvictable)
