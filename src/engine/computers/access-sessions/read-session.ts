import { CarrelError } from '../../../errors.ts'
import type { Context } from '../../context.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { stateOfSession, type AccessSession } from './access-session.ts'

/** Returns an access session of a computer. Throws `not_found`. */
export async function readSession(
  { db }: Pick<Context, 'db'>,
  computer: AccessibleComputer,
  id: string,
): Promise<AccessSession> {
  const row = await db
    .selectFrom('access_sessions')
    .select(['id', 'account_id', 'computer_id', 'kind', 'token_id', 'share_id', 'user_id'])
    .select(['run_started_at', 'created_at', 'expires_at', 'revoked_at'])
    .where('id', '=', id)
    .where('computer_id', '=', computer.id)
    .where('account_id', '=', computer.accountId)
    .executeTakeFirst()
  if (!row) throw noSession(id)
  return { ...row, state: stateOfSession(row, computer.row) }
}

export function noSession(id: string): CarrelError {
  const shown = JSON.stringify(id.slice(0, 128))
  return new CarrelError('not_found', `Cannot find access session ${shown}: the computer has none of this id`)
}
