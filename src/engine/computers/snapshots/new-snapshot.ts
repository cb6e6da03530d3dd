import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { ComputerRow, Database, SnapshotRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { newId } from '../../ids.ts'

/** States of a computer in which its files are whole. */
const takenFrom: ReadonlySet<ComputerRow['state']> = new Set(['running', 'paused', 'stopped'] as const)

/**
 * Records a snapshot that is about to be taken. Throws `conflict`, with the state, for a computer that cannot be copied
 * now, and `limit_reached`.
 */
export async function insertSnapshot(
  trx: Transaction<Database>,
  computer: ComputerRow & { account_id: string },
  kind: SnapshotRow['kind'],
): Promise<SnapshotRow> {
  const { state, account_id: accountId } = computer
  if (!takenFrom.has(state) && !(state === 'failed' && computer.started_at !== null))
    throw new CarrelError('conflict', `Cannot take a snapshot of the computer: it is ${state}`, { details: { state } })
  await assertSnapshotRoom(trx, accountId, 1)
  const now = Date.now()
  const row: SnapshotRow = {
    id: newId(),
    account_id: accountId,
    node_id: computer.node_id,
    computer_id: computer.id,
    computer_name: computer.name,
    files_since: Number(computer.restored_at ?? computer.created_at),
    kind,
    image: computer.image,
    state: 'creating',
    failure_reason: null,
    size_bytes: null,
    added_bytes: null,
    paused_ms: null,
    memory_bytes: computer.memory_bytes,
    disk_bytes: computer.disk_bytes,
    size_preset: computer.size_preset,
    created_at: now,
    updated_at: now,
    ready_at: null,
    measured_at: now,
  }
  await trx.insertInto('snapshots').values(row).execute()
  return row
}

/** Throws `limit_reached` when an account may not have `adding` more snapshots. */
export async function assertSnapshotRoom(trx: Transaction<Database>, accountId: string, adding: number): Promise<void> {
  const { count } = await trx
    .selectFrom('snapshots')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow()
  const limit = limits.snapshotsPerAccount
  if (adding === 0 || Number(count) + adding <= limit) return
  throw new CarrelError(
    'limit_reached',
    `Cannot add to the snapshots: the account has ${count}, and ${limit} is its limit; delete some first`,
    { details: { limit } },
  )
}
