import { limits } from '../../../config/limits.ts'
import type { Context } from '../../context.ts'

/** Deletes access sessions that expired long ago. */
export async function pruneSessions({ db }: Pick<Context, 'db'>): Promise<void> {
  await db
    .deleteFrom('access_sessions')
    .where('expires_at', '<', Date.now() - limits.endedAccessSessionMs)
    .execute()
}
