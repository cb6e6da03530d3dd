import { chmod, rm } from 'node:fs/promises'
import type { Kysely, Transaction } from 'kysely'
import { inList } from '../../../db/in-list.ts'
import type { Database } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import type { DatasetContext } from './datasets.ts'
import { findUses } from './sample-uses.ts'
import { directoryOf, publicArchiveOf } from './version-files.ts'

export interface Removed {
  /** Versions that are gone, */
  removed: number
  /** and those that are hidden, and kept as long as they are used. */
  kept: number
}

/** Removes a dataset with all its samples. Throws not_found when there is none. */
export async function removeDataset(engine: DatasetContext, name: string): Promise<Removed> {
  const id = await idOf(engine.db, name)
  return engine.locks.datasets(async () => {
    const total: Removed = { removed: 0, kept: 0 }
    // Another server may add a sample meanwhile.
    for (let isGone = false; !isGone;) {
      const { removed, kept } = await removeVersions(engine, id)
      total.removed += removed
      total.kept += kept
      isGone = await transaction(engine.db, 'durable', (trx) => deleteIfEmpty(trx, id))
    }
    return total
  })
}

/** Removes a sample with all its versions. Throws not_found when there is none. */
export async function removeSample(engine: DatasetContext, name: string, sampleId: string): Promise<Removed> {
  const id = await idOf(engine.db, name)
  const removed = await engine.locks.datasets(() => removeVersions(engine, id, sampleId))
  if (removed.removed + removed.kept > 0) return removed
  throw new CarrelError('not_found', `Cannot remove sample "${sampleId}" of dataset "${name}": it does not exist`)
}

async function deleteIfEmpty(trx: Transaction<Database>, id: string): Promise<boolean> {
  const sample = await trx
    .selectFrom('samples')
    .select('id')
    .where('dataset_id', '=', id)
    .where('removed_at', 'is', null)
    .limit(1)
    .executeTakeFirst()
  if (sample) return false
  await trx.deleteFrom('datasets').where('id', '=', id).execute()
  return true
}

async function idOf(db: Kysely<Database>, name: string): Promise<string> {
  const row = await db.selectFrom('datasets').select('id').where('name', '=', name).executeTakeFirst()
  if (row) return row.id
  throw new CarrelError('not_found', `Cannot remove dataset "${name}": it does not exist`)
}

/** Versions that are removed in one transaction. */
const versionsAtOnce = 200

async function removeVersions(engine: DatasetContext, datasetId: string, sampleId?: string): Promise<Removed> {
  const total: Removed = { removed: 0, kept: 0 }
  for (;;) {
    const { removed, kept, unused } = await transaction(engine.db, 'durable', (trx) =>
      removeSome(trx, datasetId, sampleId),
    )
    total.removed += removed
    total.kept += kept
    for (const hash of unused) await removeFiles(engine, hash)
    if (removed + kept < versionsAtOnce) return total
  }
}

async function removeSome(
  trx: Transaction<Database>,
  datasetId: string,
  sampleId: string | undefined,
): Promise<Removed & { unused: string[] }> {
  let query = trx
    .selectFrom('samples')
    .select(['id', 'content_hash', 'is_latest'])
    .where('dataset_id', '=', datasetId)
    .where('removed_at', 'is', null)
  if (sampleId !== undefined) query = query.where('sample_id', '=', sampleId)
  const rows = await query.limit(versionsAtOnce).execute()
  const used = await findUses(
    trx,
    rows.map(({ id }) => id),
  )
  const kept = rows.filter(({ id }) => used.has(id)).map(({ id }) => id)
  const gone = rows.filter(({ id }) => !used.has(id))
  if (kept.length > 0)
    await trx
      .updateTable('samples')
      .set({ is_latest: 0, removed_at: Date.now() })
      .where((eb) => inList(eb, 'id', kept))
      .execute()
  const latest = rows.filter((row) => row.is_latest === 1).length
  await trx
    .updateTable('datasets')
    .set((eb) => ({ sample_count: eb('sample_count', '-', latest) }))
    .where('id', '=', datasetId)
    .execute()
  return { removed: gone.length, kept: kept.length, unused: await deleteRows(trx, gone) }
}

/** Deletes versions. Returns the hashes of contents that no other version has. */
async function deleteRows(
  trx: Transaction<Database>,
  rows: readonly { id: string; content_hash: string }[],
): Promise<string[]> {
  const ids = rows.map(({ id }) => id)
  const hashes = [...new Set(rows.map(({ content_hash: hash }) => hash))]
  await trx
    .deleteFrom('samples')
    .where((eb) => inList(eb, 'id', ids))
    .execute()
  await trx
    .deleteFrom('sample_tasks')
    .where((eb) => inList(eb, 'id', ids))
    .execute()
  const others = await trx
    .selectFrom('samples')
    .select('content_hash')
    .distinct()
    .where((eb) => inList(eb, 'content_hash', hashes))
    .execute()
  const left = new Set(others.map(({ content_hash: hash }) => hash))
  return hashes.filter((hash) => !left.has(hash))
}

/**
 * Deletes versions that were removed while they were used and that nothing uses any more. To be called when a session
 * ends.
 */
export async function pruneRemoved(engine: DatasetContext): Promise<void> {
  await engine.locks.datasets(async () => {
    const unused = await transaction(engine.db, 'durable', async (trx) => {
      const rows = await trx
        .selectFrom('samples')
        .select(['id', 'content_hash'])
        .where('removed_at', 'is not', null)
        .limit(versionsAtOnce)
        .execute()
      const used = await findUses(
        trx,
        rows.map(({ id }) => id),
      )
      return deleteRows(
        trx,
        rows.filter(({ id }) => !used.has(id)),
      )
    })
    for (const hash of unused) await removeFiles(engine, hash)
  })
}

/** Deletes the files of a version. */
export async function removeFiles({ settings }: Pick<DatasetContext, 'settings'>, contentHash: string): Promise<void> {
  const directory = directoryOf(settings.dataDirectory, contentHash)
  await chmod(directory, 0o755).catch(() => {})
  await rm(directory, { recursive: true, force: true })
  await rm(publicArchiveOf(settings.dataDirectory, contentHash), { force: true })
}
