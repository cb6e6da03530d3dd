import type { SnapshotRow } from '../../../db/schema.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { Caller } from '../../caller.ts'
import type { Context } from '../../context.ts'

/** Returns the snapshots of an account, or of one of its computers, the newest first. */
export function listSnapshots(
  { db }: Pick<Context, 'db'>,
  { accountId }: Caller,
  computer?: AccessibleComputer,
): Promise<SnapshotRow[]> {
  const all = db.selectFrom('snapshots').selectAll().where('kind', '!=', 'fork').orderBy('created_at', 'desc')
  return (
    computer
      ? all.where('computer_id', '=', computer.id).where('account_id', '=', computer.accountId)
      : all.where('account_id', '=', accountId)
  ).execute()
}
