import { limits } from '../../../config/limits.ts'
import type { ComputerRow, ComputerState } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import type { Caller } from '../../caller.ts'
import { lifecyclesWhere } from '../../lifecycle-policy.ts'
import { assertCredit } from '../credit/assert-credit.ts'
import { destroyComputer } from './destroy.ts'
import { newComputer } from './new-computer.ts'
import { startComputer } from './start.ts'
import type { ComputersContext } from '../computers.ts'
import type { Context } from '../../context.ts'

/** The computer that an account gets under a name, in use until `done` is called. */
export interface UsedComputer {
  computer: ComputerRow
  done: () => void
}

/**
 * The account's computer of that name ('' is its default one), made on first use and started when it is stopped.
 * While it is used its idle time does not run.
 */
export async function useSandbox(engine: ComputersContext, caller: Caller, name: string): Promise<UsedComputer> {
  for (let attempt = 0; ; attempt++) {
    const found = (await findSandbox(engine, caller.accountId, name)) ?? (await makeSandbox(engine, caller, name))
    const done = engine.activity.begin(found.id)
    try {
      if (found.state === 'running' && !engine.activity.isEnding(found.id)) return { computer: found, done }
      const computer = await engine.locks.run(found.id, () => wake(engine, caller, found.id))
      if (computer) return { computer, done }
      done()
    } catch (error) {
      done()
      throw error
    }
    if (attempt === 3)
      throw new CarrelError('unavailable', 'Cannot use the sandbox: it is being deleted again and again')
  }
}

/** The account's computer of that name, if it was ever made. */
export function findSandbox(
  engine: Pick<Context, 'db'>,
  accountId: string,
  name: string,
): Promise<ComputerRow | undefined> {
  return engine.db
    .selectFrom('computers')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('name', '=', name)
    .executeTakeFirst()
}

/** undefined when it was deleted in between. */
async function wake(engine: ComputersContext, caller: Caller, id: string): Promise<ComputerRow | undefined> {
  const row = await engine.db.selectFrom('computers').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row || row.state === 'running') return row
  await assertCredit(engine, caller)
  await startComputer(engine, row, caller.tokenId)
  return { ...row, state: 'running' }
}

function makeSandbox(engine: ComputersContext, caller: Caller, name: string): Promise<ComputerRow> {
  return engine.locks.run(`${caller.accountId}/${name}`, async () => {
    const existing = await findSandbox(engine, caller.accountId, name)
    if (existing) return existing
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
 * An account that has all it may have gives up the stopped or failed sandbox that was started the longest ago: its files
 * went when it stopped. Rejects with `limit_reached` when there is none.
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

/** A few, as one may be started meanwhile. */
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

/** False when it was started in between. */
async function removeStopped(engine: ComputersContext, id: string): Promise<boolean> {
  const row = await engine.db.selectFrom('computers').select('state').where('id', '=', id).executeTakeFirst()
  if (!row || !forgettable.includes(row.state) || engine.activity.inUse(id)) return false
  await destroyComputer(engine, id, 'server', 'room for another')
  return true
}

const forgettable: ComputerState[] = ['stopped', 'failed']
const forgettableKinds = lifecyclesWhere(({ isForgettable }) => isForgettable)
