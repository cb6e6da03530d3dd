import { sql, type Kysely } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { readMany } from '../../../db/read-many.ts'
import { inList } from '../../../db/in-list.ts'
import { chunks } from '../../../db/chunks.ts'
import type { Database, SampleRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import type { Task } from '../task.ts'

export interface SampleQuery {
  /** The name of a dataset; default: all of them. */
  dataset?: string | undefined
  /** A part of the instance id, in any case. */
  search?: string | undefined
  /** From 1. */
  page: number
  pageSize: number
}

export interface SampleReader {
  /** Whose reads take turns with those of others. */
  name: string
  /** Called with the length of the texts before they are read. */
  reserve: (bytes: number) => Promise<void>
}

export interface ListedSample {
  row: SampleRow
  dataset: string
  task: Task
}

export interface SamplePage {
  /** Samples on all pages. */
  total: number
  samples: ListedSample[]
}

/**
 * Returns a page of the newest versions, in the order of their ids, and how many there are. An unknown dataset has none.
 * Searching and skipping read an index alone; tasks are read for the page. Throws `too_large` when they are too much for
 * one answer.
 */
export async function listSamples(
  { db }: { db: Kysely<Database> },
  { name, reserve }: SampleReader,
  { dataset, search, page, pageSize }: SampleQuery,
): Promise<SamplePage> {
  const [datasets] = await readMany(db, name, [datasetsOf(db, dataset)])
  const datasetId = dataset === undefined ? undefined : datasets[0]?.id
  if (dataset !== undefined && datasetId === undefined) return { total: 0, samples: [] }
  const matching = { datasetId, search: search || undefined }
  const total =
    matching.search === undefined
      ? datasets.reduce((sum, { sample_count: count }) => sum + count, 0)
      : await countOf(db, name, matching)
  const [ids] = await readMany(db, name, [pageQuery(db, matching, total, { page, pageSize })])
  const pageIds = ids.map(({ id }) => id)
  if (isNearEnd(total, { page, pageSize })) pageIds.reverse()
  await reserve(await taskBytesOf(db, pageIds))
  return { total, samples: await samplesByIds(db, pageIds) }
}

interface Matching {
  datasetId?: string | undefined
  search?: string | undefined
}

type Place = Pick<SampleQuery, 'page' | 'pageSize'>

/** Returns the query of the datasets that are searched. */
function datasetsOf(db: Kysely<Database>, name: string | undefined) {
  const all = db.selectFrom('datasets').select(['id', 'sample_count'])
  return name === undefined ? all : all.where('name', '=', name)
}

async function countOf(db: Kysely<Database>, reader: string, matching: Matching): Promise<number> {
  const [rows] = await readMany(db, reader, [countQuery(db, matching)])
  return Number(rows[0]?.count ?? 0)
}

/** Returns the query of how many samples match. */
export function countQuery(db: Kysely<Database>, matching: Matching) {
  return samplesOf(db, matching).select((eb) => eb.fn.countAll<number>().as('count'))
}

/** Returns the query of the ids of a page. In the second half it counts from the end, so that less is skipped. */
export function pageQuery(db: Kysely<Database>, matching: Matching, total: number, place: Place) {
  const { page, pageSize } = place
  const before = (page - 1) * pageSize
  const isBackward = isNearEnd(total, place)
  const direction = isBackward ? 'desc' : 'asc'
  const after = Math.max(0, total - before - pageSize)
  return samplesOf(db, matching)
    .select('id')
    .orderBy('sample_id', direction)
    .orderBy('dataset_id', direction)
    .limit(isBackward ? Math.max(0, Math.min(pageSize, total - before)) : pageSize)
    .offset(isBackward ? after : before)
}

function isNearEnd(total: number, { page, pageSize }: Place): boolean {
  return (page - 1) * pageSize > total / 2
}

function samplesOf(db: Kysely<Database>, { datasetId, search }: Matching) {
  let query = db.selectFrom('samples').where('is_latest', '=', 1)
  if (datasetId !== undefined) query = query.where('dataset_id', '=', datasetId)
  if (search === undefined) return query
  const pattern = `%${search.toLowerCase().replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
  return query.where(sql<boolean>`lower(instance_id) like ${pattern} escape '\\'`)
}

/** Returns how much text the tasks of these versions are. */
async function taskBytesOf(db: Kysely<Database>, ids: readonly string[]): Promise<number> {
  let bytes = 0
  for (const some of chunks(ids)) {
    const found = await db
      .selectFrom('sample_tasks')
      .select((eb) => eb.fn.sum<number>(eb.fn<number>('octet_length', ['task'])).as('bytes'))
      .where((eb) => inList(eb, 'id', some))
      .executeTakeFirst()
    bytes += Number(found?.bytes ?? 0)
  }
  if (bytes <= limits.samplesAnswerBytes) return bytes
  const reason = `the texts of these samples are longer than ${limits.samplesAnswerBytes / 1024 ** 2} MiB`
  throw new CarrelError('too_large', `Cannot list the samples: ${reason}; send a smaller "page_size"`)
}

/** Returns versions in the order of their ids' list. */
async function samplesByIds(db: Kysely<Database>, ids: readonly string[]): Promise<ListedSample[]> {
  const found = new Map<string, ListedSample>()
  for (const some of chunks(ids)) {
    const rows = await db
      .selectFrom('samples')
      .innerJoin('sample_tasks', 'sample_tasks.id', 'samples.id')
      .innerJoin('datasets', 'datasets.id', 'samples.dataset_id')
      .selectAll('samples')
      .select(['datasets.name as dataset', 'task'])
      .where((eb) => inList(eb, 'samples.id', some))
      .execute()
    for (const { dataset, task, ...row } of rows) found.set(row.id, { row, dataset, task: JSON.parse(task) as Task })
  }
  // What was removed since is missing.
  return ids.flatMap((id) => found.get(id) ?? [])
}
