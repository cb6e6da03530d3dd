import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { invalidTokens } from '../accounts/invalid-tokens.ts'
import { authenticateToken, insertToken, refusal, type Scope } from '../accounts/tokens.ts'
import { splitCredential } from './authenticate.ts'
import type { Context } from '../../context.ts'

/**
 * A new session token for one that is in its last hour; the old one goes on to its end, for programs that still use it. Who asks again,
 * since the answer was lost, gets another in place of the former, until one was used, whatever has become of that since. Rejects with
 * `unauthenticated` when it is not valid, with `conflict` when it has longer to go, does not end or was renewed.
 */
export async function refreshSession(
  engine: Pick<Context, 'db'>,
  token: string,
): Promise<{ token: string; expiresInS: number; userId: string }> {
  const { token: bare, workspaceId } = splitCredential(token)
  const { accountId, tokenId, userId, kind, scopes, expiresAtMs } = await authenticateToken(engine.db, bare)
  if (kind !== 'session')
    throw new CarrelError('conflict', 'Cannot refresh the token: it is an API key; create another one instead')
  if (expiresAtMs === null) throw new CarrelError('conflict', 'Cannot refresh the token: it does not end')
  const refreshableAtMs = expiresAtMs - limits.refreshWindowMs
  if (Date.now() < refreshableAtMs)
    throw new CarrelError('conflict', 'Cannot refresh the token: it has more than an hour to go', {
      details: {
        expiresAt: new Date(expiresAtMs).toISOString(),
        refreshableAt: new Date(refreshableAtMs).toISOString(),
      },
    })
  const { secret } = await engine.db.transaction().execute(async (trx) => {
    // Who signs out meanwhile ends it, and nothing may come of it any more.
    if ((await invalidTokens(trx, [tokenId])).size > 0) throw refusal('the token is no longer valid')
    await replaceFormer(trx, tokenId)
    return insertToken(trx, {
      accountId,
      userId,
      kind,
      name: 'refresh',
      scopes: scopes as Scope[] | null,
      lifeMs: limits.sessionMs,
      refreshedFrom: tokenId,
    })
  })
  const next = workspaceId === undefined ? secret : `${secret}~${workspaceId}`
  return { token: next, expiresInS: limits.sessionMs / 1000, userId: userId ?? accountId }
}

/** There is one session that a session was renewed to, and no more: who has a token in its last hour does not get as many as they like. */
async function replaceFormer(trx: Transaction<Database>, tokenId: string): Promise<void> {
  const used = await trx
    .selectFrom('tokens')
    .select('id')
    .where('refreshed_from', '=', tokenId)
    .where('last_used_at', 'is not', null)
    .executeTakeFirst()
  // Also where it has ended since: signing out is no way to another one.
  if (used) throw new CarrelError('conflict', 'Cannot refresh the token: it was, and the new one has been used')
  await trx
    .updateTable('tokens')
    .set({ revoked_at: Date.now() })
    .where('refreshed_from', '=', tokenId)
    .where('revoked_at', 'is', null)
    .execute()
}
