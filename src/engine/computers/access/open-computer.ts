import type { ComputerRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import type { Caller } from '../../caller.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import { otherNode } from '../../nodes/other-node.ts'
import type { ComputersContext, ImageDefaults } from '../computers.ts'
import { assertCredit } from '../credit/assert-credit.ts'
import { createSandbox } from '../lifecycle/create-sandbox.ts'
import { ownComputer } from '../lifecycle/own-computer.ts'
import { settleById } from '../lifecycle/settle.ts'
import { startComputer } from '../lifecycle/start.ts'
import { lookUp, type ComputerAddress, type LookedUp, type OwnedRow } from './look-up.ts'
import { includes, type Included, type Right } from './rights.ts'

declare const granted: unique symbol

/**
 * A computer that a caller may use, up to the right `R`. Every function that acts on a computer for a caller takes one,
 * and nothing else that names a computer or an account; only this module makes them. What is done is charged to the
 * account that owns the computer, and recorded as done by the caller's token.
 */
export interface AccessibleComputer<R extends Right = 'look'> {
  readonly id: string
  /** The account that owns the computer and pays for what is done on it. */
  readonly accountId: string
  /** The caller that opened the computer. */
  readonly caller: Caller
  /** The row as it was when the computer was opened. */
  readonly row: Readonly<OwnedRow>
  /** The computer's image: environment, user and directory of processes that ask for nothing else. */
  readonly image: ImageDefaults
  /** The greatest right that the caller has. It includes `R`. */
  readonly right: Right
  /** Ends the use, so that the computer's idle time runs again. A second call does nothing. */
  readonly done: () => void
  /** Calls `done` at the end of a block that declares the computer with `using`. */
  readonly [Symbol.dispose]: () => void
  /** For the compiler only: no other module can create it, and a greater right fits where a lesser one is required. */
  readonly [granted]: { readonly [Each in Included[R]]: true }
}

/**
 * Returns a running computer, in use until `done` is called. Creates a sandbox for a name that the caller's account
 * does not have, and starts a stopped computer. Throws `not_found` for an id to which the caller has no access,
 * `forbidden` without the right, `other_node` for a computer of another server, and `out_of_credits`, `spending_limit_reached`, `limit_reached` or `no_capacity` when
 * the start is refused.
 */
export async function openComputer<R extends Right>(
  engine: ComputersContext,
  caller: Caller,
  address: ComputerAddress,
  right: R,
): Promise<AccessibleComputer<R>> {
  for (let attempt = 0; ; attempt++) {
    const found = (await lookUp(engine, caller, address)) ?? (await make(engine, caller, address))
    assertRight(found, right)
    if (!isHere(engine, found.row)) throw await elsewhere(engine, found.row)
    const { id, state } = found.row
    const done = engine.activity.begin(id)
    try {
      const isReady = state === 'running' && !engine.activity.isEnding(id)
      const row = isReady ? found.row : await engine.locks.computer(id, () => wake(engine, caller, id))
      if (row) return accessible({ row, caller, done, right: found.right, image: await engine.images.of(row.image) })
    } catch (error) {
      done()
      throw error
    }
    done()
    if (attempt === 3)
      throw new CarrelError('unavailable', 'Cannot use the computer: it is deleted each time that it is opened')
  }
}

/**
 * Returns a computer as it is; undefined when there is none at the address that the caller may use. Creates and starts
 * nothing, and does not count as use: the computer's idle time runs, unless `keepInUse` is called. Throws `forbidden`
 * without the right, and `other_node` for a computer of another server.
 */
export async function findComputer<R extends Right>(
  engine: Pick<ComputersContext, 'db' | 'node' | 'images'>,
  caller: Caller,
  address: ComputerAddress,
  right: R,
): Promise<AccessibleComputer<R> | undefined> {
  const found = await lookUp(engine, caller, address)
  if (!found) return undefined
  assertRight(found, right)
  if (!isHere(engine, found.row)) throw await elsewhere(engine, found.row)
  return accessible({ ...found, caller, done: () => {}, image: await engine.images.of(found.row.image) })
}

/** Returns what `findComputer` returns, and throws `not_found` where there is none. */
export async function requireComputer<R extends Right>(
  engine: Pick<ComputersContext, 'db' | 'node' | 'images'>,
  caller: Caller,
  idOrName: string,
  right: R,
): Promise<AccessibleComputer<R>> {
  const found = await findComputer(engine, caller, { lasting: idOrName }, right)
  if (!found) throw noComputer(idOrName)
  return found
}

function noComputer(idOrName: string): CarrelError {
  const shown = JSON.stringify(idOrName.slice(0, 128))
  return new CarrelError('not_found', `Cannot find computer ${shown}: the workspace has no computer of this id or name`)
}

type Parts = Omit<AccessibleComputer, 'id' | 'accountId' | typeof Symbol.dispose | typeof granted>

function accessible<R extends Right>(parts: Parts): AccessibleComputer<R> {
  const { row, done } = parts
  return { ...parts, id: row.id, accountId: row.account_id, [Symbol.dispose]: done } as AccessibleComputer<R>
}

function assertRight({ row, right: held }: LookedUp, right: Right): void {
  if (includes(held, right)) return
  throw new CarrelError('forbidden', `Cannot use computer "${row.id}": this needs the right "${right}"`, {
    details: { right, held },
  })
}

function isHere({ node }: Pick<ComputersContext, 'node'>, row: OwnedRow): boolean {
  return row.node_id === node.id
}

/** Returns the error for a computer that is not at home here, with the address of its server. */
function elsewhere({ db }: Pick<ComputersContext, 'db'>, row: OwnedRow): Promise<CarrelError> {
  return otherNode(db, `Cannot use computer "${row.id}"`, row.node_id)
}

async function make(engine: ComputersContext, caller: Caller, address: ComputerAddress): Promise<LookedUp> {
  if ('name' in address)
    return { row: (await createSandbox(engine, caller, address.name)) as OwnedRow, right: 'manage' }
  throw noComputer(Object.values<string>(address)[0]!)
}

/**
 * Starts a computer that does not run, and returns its row; undefined when it was deleted or moved in between. The caller holds
 * its lock.
 */
async function wake(engine: ComputersContext, caller: Caller, id: string): Promise<OwnedRow | undefined> {
  const row = await settledComputer(engine, id)
  if (!row || row.account_id === null) return undefined
  const own = { ...row, account_id: row.account_id }
  if (row.state === 'running') return own
  if (policyOf(row).runsOnce)
    throw new CarrelError('computer_stopped', 'Cannot use the computer: its session has ended')
  await assertCredit(engine, { ...caller, accountId: own.account_id })
  return { ...own, ...(await startComputer(engine, row, caller.tokenId)) }
}

/**
 * Returns the row of a computer of this node. Nothing else works on it, so one that is recorded as starting or stopping
 * is one whose change the database did not take.
 */
async function settledComputer(engine: ComputersContext, id: string): Promise<ComputerRow | undefined> {
  const row = await ownComputer(engine, id)
  if (row?.state !== 'starting' && row?.state !== 'stopping') return row
  await settleById(engine, id)
  return ownComputer(engine, id)
}
