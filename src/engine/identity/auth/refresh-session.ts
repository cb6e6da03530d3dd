import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { transaction } from '../../../db/transaction.ts'
import type { Database } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { invalidTokens } from '../accounts/invalid-tokens.ts'
import { authenticateToken, insertToken, unauthenticated, type Scope } from '../accounts/tokens.ts'
import { splitCredential } from './authenticate.ts'
import type { Context } from '../../context.ts'

/**
 * Returns a new session token for one that is in its last hour. The old token works until it expires, for programs that
 * still use it. A repeated request, after a lost answer, gets another new token in place of the previous one, until a
 * new token has been used, even if that one has ended since. Throws `unauthenticated` when the token is not valid, and
 * `conflict` when it has more than an hour left, does not expire or was refreshed.
 */
export async function refreshSession(
  engine: Pick<Context, 'db'>,
  token: string,
): Promise<{ token: string; expiresInS: number; userId: string }> {
  const { token: bare, workspaceId } = splitCredential(token)
  const { accountId, tokenId, userId, kind, scopes, expiresAtMs } = await authenticateToken(engine.db, bare)
  if (kind !== 'session')
    throw new CarrelError('conflict', 'Cannot refresh the token: it is an API key; create a new one instead')
  if (expiresAtMs === null) throw new CarrelError('conflict', 'Cannot refresh the token: it does not expire')
  const refreshableAtMs = expiresAtMs - limits.refreshWindowMs
  if (Date.now() < refreshableAtMs)
    throw new CarrelError('conflict', 'Cannot refresh the token: it has more than an hour left', {
      details: {
        expiresAt: new Date(expiresAtMs).toISOString(),
        refreshableAt: new Date(refreshableAtMs).toISOString(),
      },
    })
  const { secret } = await transaction(engine.db, { kind: 'operational', queue: accountId }, async (trx) => {
    // Signing out meanwhile ends the token, after which it must not give another one.
    if ((await invalidTokens(trx, [tokenId])).size > 0) throw unauthenticated('the token is no longer valid')
    await revokePrevious(trx, tokenId)
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

/**
 * Revokes the session that this one was refreshed to before: a token in its last hour gives one session, not any
 * number.
 */
async function revokePrevious(trx: Transaction<Database>, tokenId: string): Promise<void> {
  const used = await trx
    .selectFrom('tokens')
    .select('id')
    .where('refreshed_from', '=', tokenId)
    .where('last_used_at', 'is not', null)
    .executeTakeFirst()
  // Even if that one has ended since: signing out must not be a way to get another one.
  if (used)
    throw new CarrelError(
      'conflict',
      'Cannot refresh the token: it was refreshed before, and the new token has been used',
    )
  await trx
    .updateTable('tokens')
    .set({ revoked_at: Date.now() })
    .where('refreshed_from', '=', tokenId)
    .where('revoked_at', 'is', null)
    .execute()
}
