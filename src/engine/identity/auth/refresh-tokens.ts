import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { transaction } from '../../../db/transaction.ts'
import type { Database, TokenRow } from '../../../db/schema.ts'
import type { CarrelError } from '../../../errors.ts'
import { hashOf, newSecret, unauthenticated } from '../accounts/tokens.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { insertSignIn } from './insert-sign-in.ts'
import type { SignedIn } from './sign-in.ts'
import type { IdentityContext } from '../identity.ts'

export interface TokenPair {
  accessToken: string
  refreshToken: string
  expiresInS: number
}

/** Opens the token family of a new sign-in: an access token for an hour, and a refresh token for the next one. */
export async function openFamily(
  engine: Pick<IdentityContext, 'db' | 'accessTokens'>,
  user: SignedIn,
  how: string,
): Promise<TokenPair> {
  const { secret, row } = await insertSignIn(engine, user, { kind: 'family', how })
  return issuePair(engine, row, { id: secret })
}

/**
 * Exchanges a refresh token for an access token and a new refresh token. The old refresh token stays valid until one
 * that was issued for it is used. Each use extends the sign-in by 30 days. Once a new token has been used, the old one
 * reveals a second holder: the whole sign-in ends, with every token of its family. The same holds for another token
 * that was issued for the old one, unless both were issued at the same time: requests at the same time come from one
 * program, or from programs that share a sign-in, and their new tokens count as one. Throws `unauthenticated` in these
 * cases, and when the token is unknown or 30 days old.
 */
export async function refreshTokens(
  engine: Pick<IdentityContext, 'db' | 'accessTokens' | 'liveConnections'>,
  refreshToken: string,
): Promise<TokenPair> {
  if (refreshToken.startsWith('rt_')) return exchangeLegacyToken(engine, refreshToken)
  const { familyId, id, ...issued } = await engine.accessTokens.verifyRefresh(refreshToken)
  const hash = hashOf(id)
  // If a power cut undid this, the next refresh would look like the use of a copy.
  const family = await transaction(engine.db, 'durable', async (trx) => {
    const renewed = (await renew(trx, { familyId, hash, ...issued })) ?? (await renewBySibling(trx, familyId, issued))
    // The signature proves that this server issued it, so it has been replaced since.
    if (!renewed) await endFamily(trx, familyId)
    return renewed
  })
  if (family) return issuePair(engine, family, { id: newSecret('family'), replaces: family.hash })
  await engine.liveConnections.endLapsed()
  throw invalidRefreshToken()
}

/** The token, by its hash, for which a refresh token was issued, and when. */
interface Issued {
  replaces: string | undefined
  issuedAtMs: number
}

/**
 * Makes a refresh token the current one of its family, if the current one is this one or the one that it was issued
 * for. Returns undefined otherwise.
 */
function renew(
  trx: Transaction<Database>,
  { familyId, hash, replaces, issuedAtMs }: Issued & { familyId: string; hash: string },
) {
  return renewal(trx, familyId)
    .set({ hash, replaced_hash: replaces ?? null, given_at: issuedAtMs })
    .where('hash', 'in', replaces === undefined ? [hash] : [hash, replaces])
    .returningAll()
    .executeTakeFirst()
}

/**
 * Renews the family without changing its current refresh token, if that was issued for the same token at the same time.
 * Returns undefined otherwise.
 */
async function renewBySibling(trx: Transaction<Database>, familyId: string, { replaces, issuedAtMs }: Issued) {
  if (replaces === undefined) return undefined
  return renewal(trx, familyId)
    .where('replaced_hash', '=', replaces)
    .where('given_at', '>=', issuedAtMs - limits.siblingTokensMs)
    .where('given_at', '<=', issuedAtMs + limits.siblingTokensMs)
    .returningAll()
    .executeTakeFirst()
}

function renewal(trx: Transaction<Database>, familyId: string) {
  const now = Date.now()
  return trx
    .updateTable('tokens')
    .set({ expires_at: now + limits.sessionMs })
    .where('id', '=', familyId)
    .where('kind', '=', 'family')
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
}

/** Exchanges a refresh token from before they were JWTs. It works once; a second use ends its sign-in. */
async function exchangeLegacyToken(
  engine: Pick<IdentityContext, 'db' | 'accessTokens' | 'liveConnections'>,
  refreshToken: string,
): Promise<TokenPair> {
  const hash = hashOf(refreshToken)
  const next = newSecret('family')
  const family = await transaction(engine.db, 'operational', async (trx) => {
    const { id } =
      (await trx.selectFrom('tokens').select('id').where('hash', '=', hash).executeTakeFirst()) ??
      (await spentToken(trx, hash)) ??
      {}
    if (id === undefined) return undefined
    const renewed = await renewal(trx, id)
      .set({ hash: hashOf(next) })
      .where('hash', '=', hash)
      .returningAll()
      .executeTakeFirst()
    if (renewed)
      await trx.insertInto('spent_refresh_tokens').values({ hash, token_id: id, spent_at: Date.now() }).execute()
    else await endFamily(trx, id)
    return renewed
  })
  if (family) return issuePair(engine, family, { id: next })
  await engine.liveConnections.endLapsed()
  throw invalidRefreshToken()
}

function spentToken(trx: Transaction<Database>, hash: string): Promise<{ id: string } | undefined> {
  return trx.selectFrom('spent_refresh_tokens').select('token_id as id').where('hash', '=', hash).executeTakeFirst()
}

async function endFamily(trx: Transaction<Database>, familyId: string): Promise<void> {
  const ended = await trx
    .updateTable('tokens')
    .set({ revoked_at: Date.now() })
    .where('id', '=', familyId)
    .where('kind', '=', 'family')
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', Date.now())
    .returning(['id', 'account_id'])
    .executeTakeFirst()
  if (!ended) return
  await appendEvent(trx, {
    accountId: ended.account_id,
    type: 'session.revoked',
    actor: ended.id,
    data: { reason: 'a refresh token was used after the one that replaced it' },
  })
}

function invalidRefreshToken(): CarrelError {
  return unauthenticated('the refresh token is not valid; sign in again')
}

/** Issues both tokens. `id` identifies the refresh token, `replaces` is the hash of the one that it is issued for. */
async function issuePair(
  { accessTokens }: Pick<IdentityContext, 'accessTokens'>,
  family: TokenRow,
  { id, replaces }: { id: string; replaces?: string },
): Promise<TokenPair> {
  const userId = family.user_id ?? family.account_id
  const accessToken = await accessTokens.issue(userId, family.id)
  const refreshToken = await accessTokens.issueRefresh(userId, family.id, {
    id,
    replaces,
    endsAtMs: family.expires_at!,
  })
  return { accessToken, refreshToken, expiresInS: limits.accessTokenMs / 1000 }
}
