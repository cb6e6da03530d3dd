import type { Kysely } from 'kysely'
import type { Database, SampleRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import type { Task } from '../task.ts'
import { directoryOf } from './version-files.ts'

/** What finding a sample uses of the engine. */
export interface SampleContext {
  db: Kysely<Database>
  settings: { dataDirectory: string }
}

export interface SampleAddress {
  /** The name of the dataset. */
  dataset: string
  sampleId: string
  /** Default: the newest version. */
  version?: number
}

export interface FoundSample {
  row: SampleRow
  task: Task
  /** The task's files as they were added, read-only. */
  directory: string
}

/** Throws not_found when there is no such dataset, sample or version. */
export async function findSample(engine: SampleContext, address: SampleAddress): Promise<FoundSample> {
  const { dataset, sampleId, version } = address
  let query = samples(engine)
    .innerJoin('datasets', 'datasets.id', 'samples.dataset_id')
    .where('datasets.name', '=', dataset)
    .where('sample_id', '=', sampleId)
    .where('removed_at', 'is', null)
  query = version === undefined ? query.where('is_latest', '=', 1) : query.where('version', '=', version)
  const found = await query.executeTakeFirst()
  if (!found) throw new CarrelError('not_found', `Cannot find sample ${nameOf(address)}: it does not exist`)
  return foundSample(engine, found)
}

/** Returns a version by the id of its row, also one that was removed while it is still used. */
export async function findSampleVersion(engine: SampleContext, id: string): Promise<FoundSample | undefined> {
  const found = await samples(engine).where('samples.id', '=', id).executeTakeFirst()
  return found && foundSample(engine, found)
}

function samples({ db }: SampleContext) {
  return db
    .selectFrom('samples')
    .innerJoin('sample_tasks', 'sample_tasks.id', 'samples.id')
    .selectAll('samples')
    .select('task')
}

function foundSample({ settings }: SampleContext, { task, ...row }: SampleRow & { task: string }): FoundSample {
  return { row, task: JSON.parse(task) as Task, directory: directoryOf(settings.dataDirectory, row.content_hash) }
}

function nameOf({ dataset, sampleId, version }: SampleAddress): string {
  return `"${sampleId}"${version === undefined ? '' : ` in version ${version}`} of dataset "${dataset}"`
}
