import type { Transaction } from 'kysely'
import type { ComputerRow, ComputerState, Database, OperationRow } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { asCarrelError, CarrelError } from '../../../errors.ts'
import { runningOn, type OperationWork, type ReportProgress } from '../../operations/operations.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { assertCredit } from '../credit/assert-credit.ts'
import { assertAtHome } from '../lifecycle/at-home.ts'
import { underWay } from './assert-idle.ts'
import { assertMemory } from './capacity.ts'
import type { Begun } from './create-computer.ts'
import { destroyComputer } from '../lifecycle/destroy.ts'
import { ownComputer } from '../lifecycle/own-computer.ts'
import { forkComputer } from '../snapshots/fork-computer.ts'
import { restoreInPlace } from '../snapshots/restore-in-place.ts'
import { resizeComputer } from './resize-computer.ts'
import { startComputer } from '../lifecycle/start.ts'
import { stopComputer } from '../lifecycle/stop.ts'
import { transition } from '../lifecycle/transition.ts'

type Kind = 'computer.start' | 'computer.stop' | 'computer.delete'

/** What a request may do to a computer, by the state that the computer is in. */
const from: Record<Kind, readonly ComputerState[]> = {
  'computer.start': ['stopped', 'failed'],
  'computer.stop': ['running', 'paused'],
  'computer.delete': ['provisioning', 'starting', 'running', 'paused', 'stopping', 'stopped', 'failed', 'deleting'],
}

/**
 * Begins to start a computer that is stopped or failed. The same request again, while the start is under way, returns
 * that one. Throws `conflict`, with the state, when the computer cannot be started from it, and `no_capacity`,
 * `out_of_credits` or `spending_limit_reached`.
 */
export async function beginStart(engine: ComputersContext, computer: AccessibleComputer<'run'>): Promise<Begun> {
  await assertCredit(engine, { ...computer.caller, accountId: computer.accountId })
  return begin(engine, computer, 'computer.start', (trx) =>
    assertMemory(engine, trx, computer.row, 'Cannot start the computer'),
  )
}

/** Begins to stop a running computer; its files stay if its kind keeps them. Throws `conflict` as `beginStart` does. */
export function beginStop(engine: ComputersContext, computer: AccessibleComputer<'run'>): Promise<Begun> {
  return begin(engine, computer, 'computer.stop')
}

/** Begins to delete a computer with its files, whatever its state. */
export function beginDelete(engine: ComputersContext, computer: AccessibleComputer<'manage'>): Promise<Begun> {
  return begin(engine, computer, 'computer.delete')
}

/** What the operations of computers do. Each one may be called again after a part of it was done. */
export function computerWorks(context: () => ComputersContext): Record<`computer.${string}`, OperationWork> {
  const onComputer =
    (work: (engine: ComputersContext, row: ComputerRow, operation: OperationRow) => Promise<unknown>): OperationWork =>
    (operation) => {
      const engine = context()
      const { resource_id: id } = operation
      return engine.locks.computer(id, async () => {
        const row = await ownComputer(engine, id)
        // Whatever was to be done with a computer that is gone: deleting is done, and nothing else can be.
        if (row) return work(engine, row, operation)
        if (operation.kind === 'computer.delete') return null
        throw new CarrelError('not_found', 'Cannot go on: the computer has been deleted')
      })
    }
  const startNow = onComputer(async (engine, row, { actor }) => {
    if (row.state !== 'running') await startComputer(engine, row, actor)
  })
  const start: OperationWork = async (operation, report) => {
    await awaitImage(context(), operation, report)
    return startNow(operation, report)
  }
  return {
    'computer.create': start,
    'computer.start': start,
    'computer.stop': onComputer(async (engine, row, { actor }) => {
      if (row.state === 'running' || row.state === 'paused') await stopComputer(engine, row, actor)
    }),
    'computer.resize': onComputer(resizeComputer),
    'computer.restore': onComputer(restoreInPlace),
    'computer.fork': (operation, report) => forkComputer(context(), operation, report),
    'computer.delete': onComputer((engine, { id }, { actor }) => destroyComputer(engine, id, actor)),
  }
}

/**
 * Waits for the image of a computer, without its lock: the computer can be deleted meanwhile. When there will be none,
 * the computer has failed.
 */
async function awaitImage(
  engine: ComputersContext,
  { resource_id: id, actor }: OperationRow,
  report: ReportProgress,
): Promise<void> {
  const { desktopImage, locks } = engine
  if ((await ownComputer(engine, id))?.image !== desktopImage.id) return
  try {
    await desktopImage.prepare(({ step, fraction = 0 }) =>
      report(fraction * imageShare, `Preparing the image: ${step}`),
    )
  } catch (error) {
    const { message: reason } = asCarrelError(error)
    await locks.computer(id, async () => {
      const row = await ownComputer(engine, id)
      if (row?.state === 'provisioning')
        await transition(engine, row, { from: ['provisioning'], to: 'failed', actor, reason })
    })
    throw error
  }
}

/** The part of a start that the preparation of the image takes. */
const imageShare = 0.98

async function begin(
  engine: ComputersContext,
  { id, row, accountId, caller }: AccessibleComputer,
  kind: Kind,
  check: (trx: Transaction<Database>) => Promise<void> = async () => {},
): Promise<Begun> {
  const doing = `Cannot ${kind.slice('computer.'.length)} the computer`
  const begun = await transaction(engine.db, { kind: 'operational', queue: accountId }, async (trx) => {
    await assertAtHome(trx, engine.node, row, doing)
    const computer = await trx.selectFrom('computers').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    const running = (await runningOn({ db: trx }, [id])).get(id)
    if (running?.kind === kind) return { computer, operation: running }
    if (running && kind !== 'computer.delete') throw underWay(doing, running)
    if (!from[kind].includes(computer.state))
      throw new CarrelError('conflict', `${doing}: it is ${computer.state}`, { details: { state: computer.state } })
    await check(trx)
    const resource = { type: 'computer', id }
    const operation = await engine.operations.insert(trx, { accountId, actor: caller.tokenId, kind, resource })
    return { computer, operation }
  })
  engine.operations.begin(begun.operation)
  return begun
}
