import type { InteractionRow, SessionRow } from '../../../db/schema.ts'
import type { Context } from '../../context.ts'

export type InteractionSummary = Omit<InteractionRow, 'stdout' | 'stderr'>

/** Returns a page of the interactions of a session, in the order in which they began, without output. `page` is from 1 on. */
export async function listInteractions(
  { db }: Pick<Context, 'db'>,
  { id }: SessionRow,
  { page, limit }: { page: number; limit: number },
): Promise<InteractionSummary[]> {
  return db
    .selectFrom('interactions')
    .select([
      'id',
      'session_id',
      'account_id',
      'node_id',
      'kind',
      'shell',
      'command',
      'status',
      'reason',
      'exit_code',
      'success',
      'message',
      'truncated',
      'created_at',
      'ended_at',
      'duration_ms',
    ])
    .where('session_id', '=', id)
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .offset((page - 1) * limit)
    .execute()
}
