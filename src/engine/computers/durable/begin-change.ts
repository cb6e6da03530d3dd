import { isDeepStrictEqual } from 'node:util'
import type { Transaction } from 'kysely'
import type { ComputerState, Database, OperationRow } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import { operationOfRequest, runningOn } from '../../operations/operations.ts'
import type { OwnedRow } from '../access/look-up.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { assertAtHome } from '../lifecycle/at-home.ts'
import { underWay } from './assert-idle.ts'

interface Change {
  kind: `computer.${string}`
  /** The beginning of the sentences of errors. */
  doing: string
  from: readonly ComputerState[]
  /** What the request asks for: the same while it is under way is the same operation. undefined: never the same. */
  wanted: unknown
  /** The Idempotency-Key of the request: a repeated one returns the same operation. */
  requestKey?: string | undefined
  /** Checks and writes beforehand, in the transaction that records the operation, and returns the input of its work. */
  prepare: (trx: Transaction<Database>, computer: OwnedRow) => Promise<object>
}

/**
 * Records a change of a computer as an operation, and begins to work on it. Throws `conflict`, with the state, when the
 * computer cannot be changed from it, and while another operation on it is under way.
 */
export async function beginChange(
  engine: ComputersContext,
  { id, row, accountId, caller }: AccessibleComputer<'manage'>,
  { kind, doing, from, wanted, requestKey, prepare }: Change,
): Promise<{ computer: OwnedRow; operation: OperationRow }> {
  const begun = await transaction(engine.db, { kind: 'operational', queue: accountId }, async (trx) => {
    await assertAtHome(trx, engine.node, row, doing)
    const earlier = requestKey === undefined ? undefined : await operationOfRequest(trx, accountId, requestKey)
    if (earlier?.kind === kind && earlier.resource_id === id)
      return { computer: await computerOf(trx, id), operation: earlier }
    if (earlier) throw new CarrelError('conflict', `${doing}: its Idempotency-Key was for something else`)
    const running = (await runningOn({ db: trx }, [id])).get(id)
    if (running && wanted !== undefined && running.kind === kind && isDeepStrictEqual(wantedOf(running), wanted))
      return { computer: await computerOf(trx, id), operation: running }
    if (running) throw underWay(doing, running)
    const computer = await computerOf(trx, id)
    if (!from.includes(computer.state))
      throw new CarrelError('conflict', `${doing}: it is ${computer.state}`, { details: { state: computer.state } })
    const operation = await engine.operations.insert(trx, {
      accountId,
      actor: caller.tokenId,
      kind,
      resource: { type: 'computer', id },
      input: { wanted, ...(await prepare(trx, computer)) },
      requestKey,
    })
    return { computer: await computerOf(trx, id), operation }
  })
  engine.operations.begin(begun.operation)
  return begun
}

function wantedOf({ input }: OperationRow): unknown {
  return (JSON.parse(input ?? '{}') as { wanted?: unknown }).wanted
}

async function computerOf(trx: Transaction<Database>, id: string): Promise<OwnedRow> {
  return (await trx.selectFrom('computers').selectAll().where('id', '=', id).executeTakeFirstOrThrow()) as OwnedRow
}
