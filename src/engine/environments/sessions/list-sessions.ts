import type { SessionRow } from '../../../db/schema.ts'
import type { Caller } from '../../caller.ts'
import type { Context } from '../../context.ts'

export interface SessionPage {
  sessions: SessionRow[]
  /** The number of sessions on all pages. */
  count: number
}

/** Returns a page of the sessions of the caller's account, the newest first. `page` is from 1 on. */
export async function listSessions(
  { db }: Pick<Context, 'db'>,
  { accountId }: Pick<Caller, 'accountId'>,
  { page, limit }: { page: number; limit: number },
): Promise<SessionPage> {
  const { count } = await db
    .selectFrom('sessions')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow()
  const sessions = await db
    .selectFrom('sessions')
    .selectAll()
    .where('account_id', '=', accountId)
    .orderBy('requested_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .offset((page - 1) * limit)
    .execute()
  return { sessions, count: Number(count) }
}
