import { limits } from '../../../config/limits.ts'
import type { Context } from '../../context.ts'

/** Deletes shares that expired or were revoked long ago. */
export async function pruneShares({ db }: Pick<Context, 'db'>): Promise<void> {
  const before = Date.now() - limits.endedShareMs
  for (const column of ['expires_at', 'revoked_at'] as const)
    await db.deleteFrom('shares').where(column, '<', before).execute()
}
