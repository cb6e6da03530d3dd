import type { Transaction } from 'kysely'
import type { ComputerRow, Database, OperationRow } from '../../../db/schema.ts'
import { inGiB } from './in-gib.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import type { Caller } from '../../caller.ts'
import { assertHoldsNode } from '../../nodes/holds-node.ts'
import { operationOfRequest } from '../../operations/operations.ts'
import type { ComputersContext } from '../computers.ts'
import { assertCredit } from '../credit/assert-credit.ts'
import { assertRoom } from '../lifecycle/assert-room.ts'
import { assertCapacity } from './capacity.ts'
import { findImageId } from './find-image.ts'
import { newComputer } from '../lifecycle/new-computer.ts'
import { lineOf, parsePublicKey } from '../ssh/keys/public-key.ts'
import { readableName } from './readable-name.ts'
import type { AccessibleSnapshot } from '../snapshots/find-snapshot.ts'
import { sizeOf, sizeOfRow, type Size } from './sizes.ts'

export interface NewComputer {
  /** Unique in the workspace; one is made up when it is left out. */
  name?: string | undefined
  displayName?: string | undefined
  /** Default: the size of the snapshot's computer, or that of the first preset. */
  size?: Size | undefined
  /** The id or the name of an image; the one with a desktop when left out, which need not be built yet, and that of the snapshot where there is one. */
  image?: string | undefined
  snapshot?: AccessibleSnapshot | undefined
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
 * `already_exists` for a name that the workspace has already, `not_found` for a missing image, `conflict` for a snapshot
 * that is not ready, `invalid_request` for a disk that is smaller than the snapshot, `limit_reached`, `no_capacity` when
 * the host has no room for it, and `out_of_credits`.
 */
export async function createComputer(engine: ComputersContext, caller: Caller, wanted: NewComputer): Promise<Begun> {
  const { db, operations } = engine
  const earlier = wanted.requestKey && (await begunBefore(engine, caller, wanted.requestKey))
  if (earlier) return earlier
  const authorizedKeys = wanted.authorizedKeys?.map((key) => lineOf(parsePublicKey(key, 'guest.authorized_keys')))
  await assertCredit(engine, caller)
  const image = await findImageId(engine, wanted.snapshot?.row.image ?? wanted.image ?? engine.desktopImage.id)
  const size = wanted.size ?? (wanted.snapshot ? sizeOfRow(wanted.snapshot.row) : sizeOf({}))
  const begun = await transaction(db, { kind: 'operational', queue: caller.accountId }, async (trx) => {
    await assertHoldsNode(trx, engine.node)
    const name = await freeName(trx, caller.accountId, wanted.name)
    await assertRoom(trx, caller.accountId)
    if (wanted.snapshot) await assertReady(trx, wanted.snapshot, size)
    await assertCapacity(engine, trx, size, { doing: 'Cannot create the computer' })
    const computer: ComputerRow = {
      ...newComputer(engine, { accountId: caller.accountId, name }),
      ...lasting({ image, size }),
      display_name: wanted.displayName ?? null,
      snapshot_id: wanted.snapshot?.id ?? null,
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

/** Returns the columns by which a computer that keeps its files differs from a sandbox. */
export function lasting({ image, size }: { image: string; size: Size }) {
  return {
    image,
    memory_bytes: size.memoryBytes,
    disk_bytes: size.diskBytes,
    size_preset: size.preset,
    lifecycle: 'durable' as const,
    idle_timeout_ms: null,
  }
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

async function assertReady(trx: Transaction<Database>, { id }: AccessibleSnapshot, size: Size): Promise<void> {
  const row = await trx.selectFrom('snapshots').select(['state', 'size_bytes']).where('id', '=', id).executeTakeFirst()
  const doing = 'Cannot create the computer'
  if (!row) throw new CarrelError('not_found', `${doing}: the snapshot has been deleted`)
  const { state, size_bytes: bytes } = row
  if (state !== 'ready') throw new CarrelError('conflict', `${doing}: the snapshot is ${state}`, { details: { state } })
  if (Number(bytes ?? 0) > size.diskBytes)
    throw new CarrelError(
      'invalid_request',
      `${doing}: the snapshot holds ${inGiB(Number(bytes))}, more than its storage would`,
      {
        details: { part: 'storage', usedBytes: Number(bytes) },
      },
    )
}

/** Returns the wanted name if the account has no computer of it, or a made-up one that is free. */
export async function freeName(
  trx: Transaction<Database>,
  accountId: string,
  wanted: string | undefined,
): Promise<string> {
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
