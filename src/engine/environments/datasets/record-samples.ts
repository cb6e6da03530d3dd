import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Kysely, Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { inList } from '../../../db/in-list.ts'
import type { Database, SampleRow } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import { newId } from '../../ids.ts'
import type { ReadSample } from './upload/upload-report.ts'

export interface Recorded {
  /** Samples that are new, */
  added: number
  /** that got a new version, */
  changed: number
  /** and that are what they were. */
  unchanged: number
}

/** Samples that are recorded in one transaction, so that others can write in between. */
const samplesAtOnce = 50

/**
 * Records samples that were read, from a file with a line of JSON for each. A sample with another content than before
 * gets a new version. Each sample is recorded as a whole; after a crash, adding the same again completes the dataset.
 */
export async function recordSamples(
  db: Kysely<Database>,
  dataset: { id: string; versionDescription: string },
  file: string,
): Promise<Recorded> {
  const total: Recorded = { added: 0, changed: 0, unchanged: 0 }
  let batch: ReadSample[] = []
  const flush = async () => {
    const { added, changed, unchanged } = await recordBatch(db, dataset, batch)
    total.added += added
    total.changed += changed
    total.unchanged += unchanged
    batch = []
  }
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    batch.push(JSON.parse(line) as ReadSample)
    if (batch.length >= samplesAtOnce) await flush()
  }
  if (batch.length > 0) await flush()
  return total
}

function recordBatch(
  db: Kysely<Database>,
  dataset: { id: string; versionDescription: string },
  samples: readonly ReadSample[],
): Promise<Recorded> {
  return transaction(db, 'durable', async (trx) => {
    const latest = await latestOf(trx, dataset.id, samples)
    const known = (sample: ReadSample) => latest.get(sample.sampleId)
    const isNew = (sample: ReadSample) => known(sample)?.is_latest !== 1
    const fresh = samples.filter((sample) => isNew(sample) || known(sample)!.content_hash !== sample.contentHash)
    const added = fresh.filter(isNew).length
    await count(trx, dataset.id, added)
    const replaced = fresh.filter((sample) => !isNew(sample)).map((sample) => known(sample)!.id)
    if (replaced.length > 0)
      await trx.updateTable('samples').set({ is_latest: 0 }).where('id', 'in', replaced).execute()
    for (const sample of fresh) await insert(trx, dataset, sample, (known(sample)?.version ?? 0) + 1)
    return { added, changed: fresh.length - added, unchanged: samples.length - fresh.length }
  })
}

/** Returns the last version of each sample that has one, also of those that were removed while they were used. */
async function latestOf(
  trx: Transaction<Database>,
  datasetId: string,
  samples: readonly ReadSample[],
): Promise<Map<string, SampleRow>> {
  const ids = samples.map(({ sampleId }) => sampleId)
  const rows = await trx
    .selectFrom('samples')
    .selectAll()
    .where('dataset_id', '=', datasetId)
    .where((eb) => inList(eb, 'sample_id', ids))
    .orderBy('version')
    .execute()
  return new Map(rows.map((row) => [row.sample_id, row]))
}

/** Counts new samples of a dataset. Throws when it has no room for them, or is gone. */
async function count(trx: Transaction<Database>, datasetId: string, added: number): Promise<void> {
  const dataset = await trx.selectFrom('datasets').select('sample_count').where('id', '=', datasetId).executeTakeFirst()
  if (!dataset) throw new CarrelError('conflict', 'Cannot add the dataset: it was removed meanwhile')
  if (added === 0) return
  const sample_count = dataset.sample_count + added
  if (sample_count > limits.samplesPerDataset)
    throw new CarrelError(
      'limit_reached',
      `Cannot add the dataset: it would have more than ${limits.samplesPerDataset} samples`,
      { details: { limit: limits.samplesPerDataset } },
    )
  await trx.updateTable('datasets').set({ sample_count }).where('id', '=', datasetId).execute()
}

async function insert(
  trx: Transaction<Database>,
  { id: dataset_id, versionDescription: version_description }: { id: string; versionDescription: string },
  { sampleId: sample_id, contentHash: content_hash, archiveBytes: archive_bytes, task }: ReadSample,
  version: number,
): Promise<void> {
  const id = newId()
  const row: SampleRow = {
    ...{ id, dataset_id, sample_id, instance_id: task.instanceId, version, is_latest: 1, content_hash, archive_bytes },
    ...{ version_description, created_at: Date.now(), removed_at: null },
  }
  await trx.insertInto('samples').values(row).execute()
  await trx
    .insertInto('sample_tasks')
    .values({ id, task: JSON.stringify(task) })
    .execute()
}
