import type { Transaction } from 'kysely'
import type { Database } from '../../../db/schema.ts'

/**
 * Returns which of these versions something still needs, such as a session. Such versions are kept when they are
 * removed, hidden from lists.
 */
export type FindUses = (trx: Transaction<Database>, sampleRowIds: readonly string[]) => Promise<ReadonlySet<string>>

const none: ReadonlySet<string> = new Set<string>()

/** Nothing needs a version yet that is removed. */
export const findUses: FindUses = async () => none
