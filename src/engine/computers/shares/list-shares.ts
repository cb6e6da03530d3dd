import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { isOpen, type Share } from './share.ts'

/** Returns the shares of a computer that last, the newest first, with their links. */
export async function listShares(
  engine: Pick<ComputersContext, 'db' | 'shareLinks'>,
  { id, accountId }: AccessibleComputer<'manage'>,
): Promise<Share[]> {
  const rows = await engine.db
    .selectFrom('shares')
    .leftJoin('memberships', (join) =>
      join
        .onRef('memberships.account_id', '=', 'shares.account_id')
        .onRef('memberships.user_id', '=', 'shares.user_id'),
    )
    .selectAll('shares')
    .select('memberships.role')
    .where('shares.computer_id', '=', id)
    .where('shares.account_id', '=', accountId)
    .execute()
  return rows
    .filter((row) => isOpen(row) && (row.user_id === null || row.role !== null))
    .toSorted((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1))
    .map(({ hash: _hash, sealed_token, role: _role, ...share }) => ({
      ...share,
      token: engine.shareLinks.tokenOf({ id: share.id, sealed_token }),
    }))
}
