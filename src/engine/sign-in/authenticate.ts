import { authenticatedBy, authenticateToken, refusal, type Authenticated } from '../accounts/tokens.ts'
import type { Engine } from '../engine.ts'
import { signIn } from './sign-in.ts'

/** Whose token it is, of whatever kind. Rejects with `unauthenticated` when it is unknown, expired or revoked. */
export async function authenticateAny(engine: Engine, token: string): Promise<Authenticated> {
  if (!looksLikeJwt.test(token)) return authenticateToken(engine.db, token)
  return engine.issuers.claims(token) ? authenticateBearer(engine, token) : authenticateAccess(engine, token)
}

/** An access token ends with the sign-in that it came of. */
async function authenticateAccess(engine: Engine, token: string): Promise<Authenticated> {
  const { familyId, expiresAtMs } = await engine.accessTokens.verify(token)
  const family = await engine.db.selectFrom('tokens').selectAll().where('id', '=', familyId).executeTakeFirst()
  if (!family) throw refusal('the token is not known')
  return { ...(await authenticatedBy(engine.db, family)), expiresAtMs }
}

/** Who comes for the first time with an issuer's token gets a workspace. An issuer's addresses make nobody another one's person. */
async function authenticateBearer(engine: Engine, token: string): Promise<Authenticated> {
  const { issuer, subject, name, email, expiresAtMs } = await engine.issuers.verify(token)
  const known = await engine.db
    .selectFrom('identities')
    .innerJoin('users', 'users.id', 'identities.user_id')
    .select(['users.id', 'users.account_id'])
    .where('provider', '=', issuer)
    .where('subject', '=', subject)
    .executeTakeFirst()
  const { userId, accountId } = known
    ? { userId: known.id, accountId: known.account_id }
    : await signIn(engine, { provider: issuer, subject, name, email, emailIsVerified: false })
  return { accountId, userId, tokenId: issuerPrefix + userId, kind: 'session', scopes: null, expiresAtMs }
}

/** Whether a caller's token id stands for tokens of an issuer, which are kept nowhere. */
export function isOfIssuer(tokenId: string): boolean {
  return tokenId.startsWith(issuerPrefix)
}

const issuerPrefix = 'user:'
const looksLikeJwt = /^eyJ[\w-]*\.[\w-]+\.[\w-]+$/
