import type { Transaction } from 'kysely'
import { inList } from '../../../db/in-list.ts'
import type { Database } from '../../../db/schema.ts'

/**
 * Returns which of these versions something still needs, such as a session. Such versions are kept when they are
 * removed, hidden from lists.
 */
export type FindUses = (trx: Transaction<Database>, sampleRowIds: readonly string[]) => Promise<ReadonlySet<string>>

/** A session that has not ended needs the version that it was created from. */
export const findUses: FindUses = async (trx, sampleRowIds) => {
  const rows = await trx
    .selectFrom('sessions')
    .select('sample_version_id')
    .distinct()
    .where((eb) => inList(eb, 'sample_version_id', sampleRowIds))
    .where('status', 'in', ['creating', 'ready'])
    .execute()
  return new Set(rows.map(({ sample_version_id: id }) => id))
}
