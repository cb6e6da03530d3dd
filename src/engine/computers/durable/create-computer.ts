import type { Transaction } from 'kysely'
import type { ComputerRow, Database, OperationRow } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import type { Caller } from '../../caller.ts'
import { assertHoldsNode } from '../../nodes/holds-node.ts'
import { operationOfRequest } from '../../operations/operations.ts'
import type { ComputersContext } from '../computers.ts'
import { assertCredit } from '../credit/assert-credit.ts'
import { assertRoom } from '../lifecycle/assert-room.ts'
import { assertCapacity } from './capacity.ts'
import { newComputer } from '../lifecycle/new-computer.ts'
import { lineOf, parsePublicKey } from '../ssh/keys/public-key.ts'
import { readableName } from './readable-name.ts'
import type { Size } from './sizes.ts'

export interface NewComputer {
  /** Unique in the workspace; one is made up when it is left out. */
  name?: string | undefined
  displayName?: string | undefined
  size: Size
  /** The id of an image; the one with a desktop when left out, which need not be built yet. */
  image?: string | undefined
  /** Public keys that open the computer by SSH, beside those of its workspace. */
  authorizedKeys?: readonly string[] | undefined
  /** The Idempotency-Key of the request: a repeated one returns the same computer. */
  requestKey?: string | undefined
}

export interface Begun {
  computer: ComputerRow
  operation: OperationRow
}

/**
 * Creates a computer that keeps its files until it is deleted, and begins to start it. Throws, before anything is made,
 * `already_exists` for a name that the workspace has already, `image_missing`, `limit_reached`, `no_capacity` when the host has no
 * room for it, and `out_of_credits`.
 */
export async function createComputer(engine: ComputersContext, caller: Caller, wanted: NewComputer): Promise<Begun> {
  const { db, operations } = engine
  const earlier = wanted.requestKey && (await begunBefore(engine, caller, wanted.requestKey))
  if (earlier) return earlier
  const authorizedKeys = wanted.authorizedKeys?.map((key) => lineOf(parsePublicKey(key, 'guest.authorized_keys')))
  await assertCredit(engine, caller)
  const image = wanted.image ?? engine.desktopImage.id
  await assertImage(engine, image)
  const begun = await transaction(db, { kind: 'operational', queue: caller.accountId }, async (trx) => {
    await assertHoldsNode(trx, engine.node)
    const name = await freeName(trx, caller.accountId, wanted.name)
    await assertRoom(trx, caller.accountId)
    await assertCapacity(engine, trx, wanted.size, 'Cannot create the computer')
    const computer: ComputerRow = {
      ...newComputer(engine, { accountId: caller.accountId, name }),
      image,
      memory_bytes: wanted.size.memoryBytes,
      disk_bytes: wanted.size.diskBytes,
      size_preset: wanted.size.preset,
      display_name: wanted.displayName ?? null,
      lifecycle: 'durable',
      idle_timeout_ms: null,
      authorized_keys: authorizedKeys?.join('\n') || null,
    }
    await trx.insertInto('computers').values(computer).execute()
    const operation = await operations.insert(trx, {
      accountId: caller.accountId,
      actor: caller.tokenId,
      kind: 'computer.create',
      resource: { type: 'computer', id: computer.id },
      requestKey: wanted.requestKey,
    })
    return { computer, operation }
  })
  operations.begin(begun.operation)
  return begun
}

async function begunBefore(
  { db }: Pick<ComputersContext, 'db'>,
  { accountId }: Caller,
  requestKey: string,
): Promise<Begun | undefined> {
  const operation = await operationOfRequest(db, accountId, requestKey)
  if (!operation) return undefined
  const computer = await db
    .selectFrom('computers')
    .selectAll()
    .where('id', '=', operation.resource_id)
    .executeTakeFirst()
  if (computer) return { computer, operation }
  throw new CarrelError('conflict', 'Cannot repeat the request: the computer that it created has been deleted since')
}

async function assertImage({ driver, defaultImage, desktopImage }: ComputersContext, id: string): Promise<void> {
  if (id === defaultImage.id || id === desktopImage.id || (await driver.images.list()).some((image) => image.id === id))
    return
  throw new CarrelError('not_found', `Cannot find image ${JSON.stringify(id.slice(0, 128))}: there is none of that id`)
}

/** Returns the wanted name if the account has no computer of it, or a made-up one that is free. */
async function freeName(trx: Transaction<Database>, accountId: string, wanted: string | undefined): Promise<string> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const name = wanted ?? readableName()
    const taken = await trx
      .selectFrom('computers')
      .select('id')
      .where('account_id', '=', accountId)
      .where('name', '=', name)
      .executeTakeFirst()
    if (!taken) return name
    if (wanted !== undefined)
      throw new CarrelError(
        'already_exists',
        `Cannot create the computer: the workspace already has one named "${name}"`,
        {
          details: { name },
        },
      )
  }
  throw new CarrelError('unavailable', 'Cannot make up a name for the computer: try again, or choose one')
}

const maxAttempts = 20
