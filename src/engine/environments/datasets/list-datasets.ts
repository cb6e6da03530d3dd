import type { Kysely } from 'kysely'
import { readMany } from '../../../db/read-many.ts'
import type { Database, DatasetRow } from '../../../db/schema.ts'

export type ListedDataset = Omit<DatasetRow, 'id'>

/** Returns all datasets, in the order of their names. `reader` is whose reads take turns with those of others. */
export async function listDatasets({ db }: { db: Kysely<Database> }, reader: string): Promise<ListedDataset[]> {
  const columns = ['name', 'description', 'sample_count', 'created_at'] as const
  const [datasets] = await readMany(db, reader, [db.selectFrom('datasets').select(columns).orderBy('name')])
  return datasets
}
