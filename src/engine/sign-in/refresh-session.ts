import { limits } from '../../config/limits.ts'
import { CarrelError } from '../../errors.ts'
import { authenticateToken, insertToken, type Scope } from '../accounts/tokens.ts'
import type { Engine } from '../engine.ts'
import { splitCredential } from './authenticate.ts'

/**
 * A new session token for one that is in its last hour; the old one goes on to its end, for programs that still use it. Rejects
 * with `unauthenticated` when it is not valid, with `conflict` when it has longer to go or does not end.
 */
export async function refreshSession(
  engine: Engine,
  token: string,
): Promise<{ token: string; expiresInS: number; userId: string }> {
  const { token: bare, workspaceId } = splitCredential(token)
  const { accountId, userId, kind, scopes, expiresAtMs } = await authenticateToken(engine.db, bare)
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
  const { secret } = await insertToken(engine.db, {
    accountId,
    userId,
    kind,
    name: 'refresh',
    scopes: scopes as Scope[] | null,
    lifeMs: limits.sessionMs,
  })
  const next = workspaceId === undefined ? secret : `${secret}~${workspaceId}`
  return { token: next, expiresInS: limits.sessionMs / 1000, userId: userId ?? accountId }
}
