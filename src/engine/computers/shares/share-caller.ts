import type { Kysely } from 'kysely'
import { lookup } from '../../../db/lookup.ts'
import type { Database, ShareRow } from '../../../db/schema.ts'
import { roleOf } from '../../identity/accounts/roles.ts'
import { unauthenticated, type Authenticated } from '../../identity/accounts/tokens.ts'

/** What the link of a share opens beyond a session's kind. */
export interface SharedSession {
  /** The id of the share. */
  id: string
  /** Whether its visitors see the desktop without using it: the link does not open the computer's page. */
  viewOnly: boolean
}

/**
 * Returns on whose behalf the visitors of a share act, while the share lasts: in its workspace, with the scope of
 * computers alone, and for the token that created the share, whose spending limits go on counting. Unlike that token's
 * own sessions, a share outlives the token; it ends when its creator leaves the workspace. Throws `unauthenticated`.
 */
export async function enterShare(
  db: Kysely<Database>,
  { id, accountId }: { id: string; accountId: string },
): Promise<{ caller: Authenticated; share: SharedSession }> {
  const row = await shareById(db, id)
  if (!row || row.account_id !== accountId) throw unauthenticated('the share of the access session does not exist')
  await assertLasts(db, row)
  const verifyAgain = async () => {
    const now = await shareById(db, id)
    if (!now) throw unauthenticated('the share was deleted')
    await assertLasts(db, now)
  }
  const caller = { accountId, userId: null, tokenId: row.token_id, role: 'member', scopes: ['compute'] } as const
  return {
    // Of this kind, as an API key stands for one workspace only.
    caller: { ...caller, kind: 'api_key', expiresAtMs: row.expires_at, verifyAgain, shareId: id },
    share: { id, viewOnly: row.allow_browser === 0 },
  }
}

/** Throws `unauthenticated` for a share that has expired, is revoked, or whose creator has left the workspace. */
export async function assertLasts(
  db: Kysely<Database>,
  {
    account_id,
    user_id,
    expires_at,
    revoked_at,
  }: Pick<ShareRow, 'account_id' | 'user_id' | 'expires_at' | 'revoked_at'>,
): Promise<void> {
  if (revoked_at !== null) throw unauthenticated('the share was revoked')
  if (expires_at !== null && expires_at <= Date.now()) throw unauthenticated('the share has expired')
  if (user_id !== null && (await roleOf(db, account_id, user_id)) === undefined)
    throw unauthenticated('the creator of the share has left the workspace')
}

const shareById = lookup((db) => db.selectFrom('shares').selectAll().where('id', '=', ''))
