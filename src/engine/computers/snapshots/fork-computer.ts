import type { Transaction } from 'kysely'
import type { ComputerRow, Database, OperationRow } from '../../../db/schema.ts'
import { inGiB } from '../durable/in-gib.ts'
import { CarrelError, asCarrelError } from '../../../errors.ts'
import { mapWithLimit } from '../../../map-with-limit.ts'
import type { OwnedRow } from '../access/look-up.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { assertCredit } from '../credit/assert-credit.ts'
import { beginChange } from '../durable/begin-change.ts'
import { assertCapacity } from '../durable/capacity.ts'
import { freeName, lasting } from '../durable/create-computer.ts'
import { sizeOfRow, type Size } from '../durable/sizes.ts'
import { assertRoom } from '../lifecycle/assert-room.ts'
import { destroyComputer } from '../lifecycle/destroy.ts'
import { newComputer } from '../lifecycle/new-computer.ts'
import { ownComputer } from '../lifecycle/own-computer.ts'
import { startComputer } from '../lifecycle/start.ts'
import { insertSnapshot } from './new-snapshot.ts'
import { removeSnapshot } from './remove-snapshot.ts'
import { takeSnapshot } from './take-snapshot.ts'

export interface WantedForks {
  count: number
  /** The name of the only fork, or what the names of several begin with. */
  name?: string | undefined
  displayName?: string | undefined
  /** Default: the size of the computer. */
  size?: Size | undefined
  /** The Idempotency-Key of the request: a repeated one returns the same forks. */
  requestKey?: string | undefined
}

interface Input {
  snapshotId: string
  computerIds: string[]
}

const doing = 'Cannot fork the computer'

/**
 * Begins to make copies of a computer as it is at one moment, all from one snapshot, and to start them. Throws, before
 * anything is made, what `createComputer` throws: there is room for all of them or for none.
 */
export async function beginFork(
  engine: ComputersContext,
  computer: AccessibleComputer<'manage'>,
  { requestKey, ...wanted }: WantedForks,
): Promise<{ computers: OwnedRow[]; operation: OperationRow }> {
  await assertCredit(engine, { ...computer.caller, accountId: computer.accountId })
  const stats = await engine.driver.stats(computer.id).catch(() => undefined)
  const { operation } = await beginChange(engine, computer, {
    kind: 'computer.fork',
    doing,
    from: ['running', 'paused', 'stopped'],
    wanted: undefined,
    requestKey,
    prepare: async (trx, row) => {
      const size = wanted.size ?? sizeOfRow(row)
      if ((stats?.diskBytes ?? 0) > size.diskBytes)
        throw new CarrelError(
          'invalid_request',
          `${doing}: it holds ${inGiB(stats!.diskBytes!)}, more than their storage`,
          {
            details: { part: 'storage', usedBytes: stats?.diskBytes },
          },
        )
      await assertRoom(trx, row.account_id, wanted.count)
      await assertCapacity(engine, trx, size, { doing, count: wanted.count })
      const { id: snapshotId } = await insertSnapshot(trx, row, 'fork')
      const forks = await insertForks(engine, trx, row, { ...wanted, size, snapshotId })
      return { snapshotId, computerIds: forks.map(({ id }) => id) }
    },
  })
  const { computerIds } = JSON.parse(operation.input!) as Input
  const computers = await engine.db.selectFrom('computers').selectAll().where('id', 'in', computerIds).execute()
  return { computers: computers as OwnedRow[], operation }
}

async function insertForks(
  engine: ComputersContext,
  trx: Transaction<Database>,
  { account_id: accountId, image, authorized_keys }: OwnedRow,
  { count, name: wanted, displayName, size, snapshotId }: WantedForks & { size: Size; snapshotId: string },
): Promise<ComputerRow[]> {
  const forks: ComputerRow[] = []
  for (let number = 1; number <= count; number++) {
    const name = wanted === undefined || count === 1 ? wanted : `${wanted.slice(0, maxPrefix)}-${number}`
    const fork: ComputerRow = {
      ...newComputer(engine, { accountId, name: await freeName(trx, accountId, name) }),
      ...lasting({ image, size }),
      display_name: displayName ?? null,
      authorized_keys,
      snapshot_id: snapshotId,
    }
    await trx.insertInto('computers').values(fork).execute()
    forks.push(fork)
  }
  return forks
}

/**
 * Does the work of a fork, from where an interrupted server left it. Computers that cannot be made are deleted, and the
 * error says how many.
 */
export async function forkComputer(
  engine: ComputersContext,
  { actor, input }: Pick<OperationRow, 'actor' | 'input'>,
  report: (progress: number) => void,
): Promise<{ computers: string[] }> {
  const { snapshotId, computerIds } = JSON.parse(input!) as Input
  const snapshot = await engine.db.selectFrom('snapshots').selectAll().where('id', '=', snapshotId).executeTakeFirst()
  if (snapshot) {
    const failures: unknown[] = []
    const fail = async (id: string, error: unknown) => {
      if (engine.server.closing.aborted) throw error
      failures.push(error)
      await engine.locks.computer(id, () => destroyComputer(engine, id, actor, 'fork failed'))
    }
    let done = 0
    const taken = await takeSnapshot(engine, snapshotId, actor).then(
      () => undefined,
      (error: unknown) => error ?? new Error('no snapshot'),
    )
    await mapWithLimit(computerIds, startsAtOnce, async (id) => {
      await (taken === undefined ? start(engine, id, actor) : Promise.reject(taken)).catch((error) => fail(id, error))
      report((done += 1) / computerIds.length)
    })
    await removeSnapshot(engine, snapshot)
    if (failures.length > 0) throw failed(failures, computerIds.length)
  }
  return { computers: computerIds }
}

async function start(engine: ComputersContext, id: string, actor: string): Promise<void> {
  await engine.locks.computer(id, async () => {
    const row = await ownComputer(engine, id)
    // A fork may have been deleted before it ran.
    if (row && row.state !== 'running' && row.state !== 'deleting') await startComputer(engine, row, actor)
  })
}

function failed(failures: unknown[], count: number): CarrelError {
  const { code, message } = asCarrelError(failures[0])
  return new CarrelError(code, `${failures.length} of ${count} forks could not be made: ${message}`)
}

const startsAtOnce = 4
/** Leaves room for a number of two digits in a DNS label. */
const maxPrefix = 60
