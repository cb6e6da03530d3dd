import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import { durableTransaction } from '../../../db/durable-transaction.ts'
import type { Database, TokenRow } from '../../../db/schema.ts'
import type { CarrelError } from '../../../errors.ts'
import { hashOf, newSecret, refusal } from '../accounts/tokens.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { insertSignIn } from './insert-sign-in.ts'
import type { SignedIn } from './sign-in.ts'
import type { IdentityContext } from '../identity.ts'

export interface TokenPair {
  accessToken: string
  refreshToken: string
  expiresInS: number
}

/** An access token for an hour, and a refresh token for the next one: the two of a new sign-in. */
export async function openFamily(
  engine: Pick<IdentityContext, 'db' | 'accessTokens'>,
  person: SignedIn,
  how: string,
): Promise<TokenPair> {
  const { secret, row } = await insertSignIn(engine, person, { kind: 'family', how })
  return pairOf(engine, row, { id: secret })
}

/**
 * An access token for a refresh token, and another refresh token to use from then on, if its holder takes it: the one that was sent goes on
 * to its end until one that was given for it is used. A sign-in is renewed for 30 days with each use. From the first use of the new one
 * on, whoever shows the old one is a second holder: the whole sign-in ends, with every token that came of it. So is who shows another that
 * was given for the old one, unless that was at the same time: several requests at once are one program's, or those of programs that share
 * a sign-in, and what they are given counts as one. Rejects with `unauthenticated` then, and when it is unknown or 30 days old.
 */
export async function refreshTokens(
  engine: Pick<IdentityContext, 'db' | 'accessTokens' | 'liveConnections'>,
  refreshToken: string,
): Promise<TokenPair> {
  if (refreshToken.startsWith('rt_')) return exchangeOfBefore(engine, refreshToken)
  const { familyId, id, ...given } = await engine.accessTokens.verifyRefresh(refreshToken)
  const hash = hashOf(id)
  // A power cut that took this back would make the next one look like a copy.
  const family = await durableTransaction(engine.db, async (trx) => {
    const renewed = (await renew(trx, { familyId, hash, ...given })) ?? (await renewBySibling(trx, familyId, given))
    // Its signature says that it was given out, so it has been replaced since.
    if (!renewed) await endFamily(trx, familyId)
    return renewed
  })
  if (family) return pairOf(engine, family, { id: newSecret('family'), replaces: family.hash })
  await engine.liveConnections.endLapsed()
  throw refused()
}

/** For which token, by its hash, and when a token was given. */
interface Given {
  replaces: string | undefined
  givenAtMs: number
}

/** Makes a token the one that a sign-in goes by, where it goes by this one or by the one that it was given for; undefined elsewhere. */
function renew(
  trx: Transaction<Database>,
  { familyId, hash, replaces, givenAtMs }: Given & { familyId: string; hash: string },
) {
  return renewing(trx, familyId)
    .set({ hash, replaced_hash: replaces ?? null, given_at: givenAtMs })
    .where('hash', 'in', replaces === undefined ? [hash] : [hash, replaces])
    .returningAll()
    .executeTakeFirst()
}

/** Leaves a sign-in with the token that it goes by, where another was given for the same one at the same time; undefined elsewhere. */
async function renewBySibling(trx: Transaction<Database>, familyId: string, { replaces, givenAtMs }: Given) {
  if (replaces === undefined) return undefined
  return renewing(trx, familyId)
    .where('replaced_hash', '=', replaces)
    .where('given_at', '>=', givenAtMs - limits.siblingTokensMs)
    .where('given_at', '<=', givenAtMs + limits.siblingTokensMs)
    .returningAll()
    .executeTakeFirst()
}

function renewing(trx: Transaction<Database>, familyId: string) {
  const now = Date.now()
  return trx
    .updateTable('tokens')
    .set({ expires_at: now + limits.sessionMs })
    .where('id', '=', familyId)
    .where('kind', '=', 'family')
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
}

/** One of the time before they were JWTs: for one use, which gives two of today. One that comes again ends its sign-in. */
async function exchangeOfBefore(
  engine: Pick<IdentityContext, 'db' | 'accessTokens' | 'liveConnections'>,
  refreshToken: string,
): Promise<TokenPair> {
  const hash = hashOf(refreshToken)
  const next = newSecret('family')
  const family = await engine.db.transaction().execute(async (trx) => {
    const { id } =
      (await trx.selectFrom('tokens').select('id').where('hash', '=', hash).executeTakeFirst()) ??
      (await spentBefore(trx, hash)) ??
      {}
    if (id === undefined) return undefined
    const renewed = await renewing(trx, id)
      .set({ hash: hashOf(next) })
      .where('hash', '=', hash)
      .returningAll()
      .executeTakeFirst()
    if (renewed)
      await trx.insertInto('spent_refresh_tokens').values({ hash, token_id: id, spent_at: Date.now() }).execute()
    else await endFamily(trx, id)
    return renewed
  })
  if (family) return pairOf(engine, family, { id: next })
  await engine.liveConnections.endLapsed()
  throw refused()
}

function spentBefore(trx: Transaction<Database>, hash: string): Promise<{ id: string } | undefined> {
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

function refused(): CarrelError {
  return refusal('the refresh token is not valid; sign in again')
}

/** `id` is what the refresh token is known by, `replaces` the hash of the one that it is given for. */
async function pairOf(
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
