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
 * Makes the caller's sandbox of a name, in a lock of that name: one that another request has just made is returned
 * instead. It may not run yet. Throws `limit_reached` when the account has as many computers as it may and none to give
 * up.
 */
export function makeSandbox(engine: ComputersContext, caller: Caller, name: string): Promise<ComputerRow> {
  return engine.locks.run(`${caller.accountId}/${name}`, async () => {
    const existing = await lookUp(engine, caller, { name })
    if (existing) return existing.row
    await assertCredit(engine, caller)
    await makeRoom(engine, caller.accountId)
    const warm = await engine.warmPool.take({ accountId: caller.accountId, name, actor: caller.tokenId })
    if (warm) return warm
    const row = newComputer(engine, { accountId: caller.accountId, name })
    await engine.db.insertInto('computers').values(row).execute()
    return row
  })
}

/**
 * Deletes the stopped or failed sandbox that was started the longest ago, where the account has as many computers as it
 * may: its files went when it stopped.
 */
async function makeRoom(engine: ComputersContext, accountId: string): Promise<void> {
  const { count } = await engine.db
    .selectFrom('computers')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow()
  if (Number(count) < limits.computersPerAccount) return
  for (const { id } of await oldestStopped(engine, accountId))
    if (await engine.locks.run(id, () => removeStopped(engine, id))) return
  throw new CarrelError(
    'limit_reached',
    `Cannot make another sandbox: the account has ${limits.computersPerAccount}, which is its limit`,
    {
      details: { limit: limits.computersPerAccount },
    },
  )
}

/** Returns a few, as one may be started meanwhile. */
function oldestStopped(engine: Pick<Context, 'db'>, accountId: string): Promise<{ id: string }[]> {
  return engine.db
    .selectFrom('computers')
    .select('id')
    .where('account_id', '=', accountId)
    .where('state', 'in', forgettable)
    .where('lifecycle', 'in', forgettableKinds)
    .orderBy('last_active_at')
    .limit(8)
    .execute()
}

/** Resolves with false when it was started in between. */
async function removeStopped(engine: ComputersContext, id: string): Promise<boolean> {
  const row = await engine.db.selectFrom('computers').select('state').where('id', '=', id).executeTakeFirst()
  if (!row || !forgettable.includes(row.state) || engine.activity.inUse(id)) return false
  await destroyComputer(engine, id, 'server', 'room for another')
  return true
}

const forgettable: ComputerState[] = ['stopped', 'failed']
const forgettableKinds = lifecyclesWhere(({ isForgettable }) => isForgettable)
