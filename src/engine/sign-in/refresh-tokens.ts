import { limits } from '../../config/limits.ts'
import type { TokenRow } from '../../db/schema.ts'
import { hashOf, newSecret, refusal } from '../accounts/tokens.ts'
import type { Engine } from '../engine.ts'
import { appendEvent } from '../events/append-event.ts'
import { insertSignIn } from './insert-sign-in.ts'
import type { SignedIn } from './sign-in.ts'

export interface TokenPair {
  accessToken: string
  refreshToken: string
  expiresInS: number
}

/** An access token for an hour, and a refresh token for the next one: the two of a new sign-in. */
export async function openFamily(engine: Engine, person: SignedIn, how: string): Promise<TokenPair> {
  const { secret, row } = await insertSignIn(engine, person, { kind: 'family', how })
  return pairOf(engine, row, secret)
}

/**
 * The next two tokens for a refresh token, which is spent with it. One that was spent before is in two hands: its whole sign-in ends,
 * with every token that came of it. Rejects with `unauthenticated` then, and when it is unknown or 30 days old. One of the time before
 * they were JWTs (`rt_…`) does too, until its end.
 */
export async function rotateRefreshToken(engine: Engine, refreshToken: string): Promise<TokenPair> {
  const isOfBefore = refreshToken.startsWith('rt_')
  const hash = hashOf(isOfBefore ? refreshToken : await engine.accessTokens.verifyRefresh(refreshToken))
  const next = newSecret('family')
  const now = Date.now()
  const row = await engine.db.transaction().execute(async (trx) => {
    const family = await trx
      .updateTable('tokens')
      .set({ hash: hashOf(next), expires_at: now + limits.sessionMs })
      .where('hash', '=', hash)
      .where('kind', '=', 'family')
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', now)
      .returningAll()
      .executeTakeFirst()
    if (family)
      await trx.insertInto('spent_refresh_tokens').values({ hash, token_id: family.id, spent_at: now }).execute()
    return family
  })
  if (row) return pairOf(engine, row, next)
  await revokeSpent(engine, hash)
  throw refusal('the refresh token is not valid; sign in again')
}

async function revokeSpent(engine: Engine, hash: string): Promise<void> {
  await engine.db.transaction().execute(async (trx) => {
    const spent = await trx
      .selectFrom('spent_refresh_tokens')
      .innerJoin('tokens', 'tokens.id', 'token_id')
      .select(['tokens.id', 'account_id'])
      .where('spent_refresh_tokens.hash', '=', hash)
      .where('revoked_at', 'is', null)
      .executeTakeFirst()
    if (!spent) return
    await trx.updateTable('tokens').set({ revoked_at: Date.now() }).where('id', '=', spent.id).execute()
    await appendEvent(trx, {
      accountId: spent.account_id,
      type: 'session.revoked',
      actor: spent.id,
      data: { reason: 'a refresh token was used twice' },
    })
  })
}

/** `secret` is what the next refresh token is known by. */
async function pairOf({ accessTokens }: Engine, family: TokenRow, secret: string): Promise<TokenPair> {
  const userId = family.user_id ?? family.account_id
  const accessToken = await accessTokens.issue(userId, family.id)
  const refreshToken = await accessTokens.issueRefresh(userId, family.id, { id: secret, endsAtMs: family.expires_at! })
  return { accessToken, refreshToken, expiresInS: limits.accessTokenMs / 1000 }
}
