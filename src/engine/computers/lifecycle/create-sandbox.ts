import { limits } from '../../../config/limits.ts'
import type { ComputerRow, ComputerState } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import type { Caller } from '../../caller.ts'
import { lookUp } from '../access/look-up.ts'
import { lifecyclesWhere } from '../../lifecycle-policy.ts'
import { assertCredit } from '../credit/assert-credit.ts'
import { destroyComputer } from './destroy.ts'
import { newComputer } from './new-computer.ts'
import type { ComputersContext } from '../computers.ts'
import type { Context } from '../../context.ts'

/**
 * Creates the caller's sandbox of a name, holding the lock of that name, and returns its row; a sandbox that another
 * request has just created is returned instead. The sandbox may not run yet. Throws `limit_reached` when the account
 * has reached its limit and no computer that can be deleted.
 */
export function createSandbox(engine: ComputersContext, caller: Caller, name: string): Promise<ComputerRow> {
  return engine.locks.sandboxName(caller.accountId, name, async () => {
    const existing = await lookUp(engine, caller, { name })
    if (existing) return existing.row
    await assertCredit(engine, caller)
    await evictOldest(engine, caller.accountId)
    const warm = await engine.warmPool.take({ accountId: caller.accountId, name, actor: caller.tokenId })
    if (warm) return warm
    const row = newComputer(engine, { accountId: caller.accountId, name })
    await engine.db.insertInto('computers').values(row).execute()
    return row
  })
}

/**
 * Deletes the account's least recently started sandbox among those that are stopped or failed, when the account has
 * reached its limit of computers. A stopped sandbox has no files any more.
 */
async function evictOldest(engine: ComputersContext, accountId: string): Promise<void> {
  const { count } = await engine.db
    .selectFrom('computers')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow()
  if (Number(count) < limits.computersPerAccount) return
  for (const { id } of await oldestStopped(engine, accountId))
    if (await engine.locks.computer(id, () => deleteStopped(engine, id))) return
  throw new CarrelError(
    'limit_reached',
    `Cannot create another sandbox: the account has ${limits.computersPerAccount}, which is its limit`,
    {
      details: { limit: limits.computersPerAccount },
    },
  )
}

/** Returns several candidates, as any of them may be started meanwhile. */
function oldestStopped(engine: Pick<Context, 'db'>, accountId: string): Promise<{ id: string }[]> {
  return engine.db
    .selectFrom('computers')
    .select('id')
    .where('account_id', '=', accountId)
    .where('state', 'in', evictableStates)
    .where('lifecycle', 'in', evictableLifecycles)
    .orderBy('last_active_at')
    .limit(8)
    .execute()
}

/** Deletes a computer that is stopped. Returns false when it was started in between. */
async function deleteStopped(engine: ComputersContext, id: string): Promise<boolean> {
  const row = await engine.db.selectFrom('computers').select('state').where('id', '=', id).executeTakeFirst()
  if (!row || !evictableStates.includes(row.state) || engine.activity.inUse(id)) return false
  await destroyComputer(engine, id, 'server', 'room for another')
  return true
}

const evictableStates: ComputerState[] = ['stopped', 'failed']
const evictableLifecycles = lifecyclesWhere(({ isEvictable }) => isEvictable)
