import type { SnapshotRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import type { Caller } from '../../caller.ts'
import type { Context } from '../../context.ts'
import { otherNode } from '../../nodes/other-node.ts'

declare const granted: unique symbol

/**
 * A snapshot that a caller may use. Every function that acts on a snapshot for a caller takes one, and only this module
 * makes them.
 */
export interface AccessibleSnapshot {
  readonly id: string
  readonly row: Readonly<SnapshotRow>
  readonly caller: Caller
  /** For the compiler only: no other module can create it. */
  readonly [granted]: true
}

/** Returns a snapshot of the caller's account. Throws `not_found`, and `other_node` for one of another server. */
export async function requireSnapshot(
  { db, node }: Pick<Context, 'db' | 'node'>,
  caller: Caller,
  id: string,
): Promise<AccessibleSnapshot> {
  const row = await db
    .selectFrom('snapshots')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', caller.accountId)
    .where('kind', '!=', 'fork')
    .executeTakeFirst()
  if (!row)
    throw new CarrelError(
      'not_found',
      `Cannot find snapshot ${JSON.stringify(id.slice(0, 128))}: the workspace has none of this id`,
    )
  if (row.node_id !== node.id) throw await otherNode(db, `Cannot use snapshot "${id}"`, row.node_id)
  return { id, row, caller } as AccessibleSnapshot
}
