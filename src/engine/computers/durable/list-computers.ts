import type { Caller } from '../../caller.ts'
import { lifecyclesWhere } from '../../lifecycle-policy.ts'
import type { OwnedRow } from '../access/look-up.ts'
import type { ComputersContext } from '../computers.ts'

/** Returns the caller's computers that keep their files, in the order in which they were created. */
export async function listComputers({ db }: Pick<ComputersContext, 'db'>, { accountId }: Caller): Promise<OwnedRow[]> {
  const rows = await db
    .selectFrom('computers')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('lifecycle', 'in', lasting)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  return rows as OwnedRow[]
}

const lasting = lifecyclesWhere(({ keepsFiles }) => keepsFiles)
