import { authenticateFamily, authenticateToken, type Authenticated } from '../accounts/tokens.ts'
import { enterWorkspace } from '../workspaces/enter-workspace.ts'
import { signIn } from './sign-in.ts'
import type { IdentityContext } from '../identity.ts'

/**
 * Whose token it is, of whatever kind. `<token>~<id of a workspace>` is the same person in another workspace: whatever carries a token
 * carries that too. Rejects with `unauthenticated` when the token is unknown, expired or revoked, with `not_found` when it does not open
 * the workspace. One that was asked of before is known at once.
 */
export function authenticateAny(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'prices' | 'accessTokens' | 'issuers' | 'authCache'>,
  credential: string,
): Authenticated | Promise<Authenticated> {
  return (
    engine.authCache.get(credential) ?? engine.authCache.learn(credential, () => authenticateFirst(engine, credential))
  )
}

async function authenticateFirst(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'prices' | 'accessTokens' | 'issuers'>,
  credential: string,
): Promise<Authenticated> {
  const { token, workspaceId } = splitCredential(credential)
  if (workspaceId === undefined) return authenticateOne(engine, token)
  return enterWorkspace(engine, await authenticateOne(engine, token), workspaceId)
}

export function splitCredential(credential: string): { token: string; workspaceId: string | undefined } {
  const at = credential.indexOf('~')
  if (at === -1) return { token: credential, workspaceId: undefined }
  return { token: credential.slice(0, at), workspaceId: credential.slice(at + 1) }
}

function authenticateOne(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'prices' | 'accessTokens' | 'issuers'>,
  token: string,
): Promise<Authenticated> {
  if (!looksLikeJwt.test(token)) return authenticateToken(engine.db, token)
  return engine.issuers.claims(token) ? authenticateBearer(engine, token) : authenticateAccess(engine, token)
}

/** An access token ends with the sign-in that it came of. */
async function authenticateAccess(
  engine: Pick<IdentityContext, 'db' | 'accessTokens'>,
  token: string,
): Promise<Authenticated> {
  const { familyId, expiresAtMs } = await engine.accessTokens.verify(token)
  return { ...(await authenticateFamily(engine.db, familyId)), expiresAtMs }
}

/** Who comes for the first time with an issuer's token gets a workspace. An issuer's addresses make nobody another one's person. */
async function authenticateBearer(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'prices' | 'issuers'>,
  token: string,
): Promise<Authenticated> {
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
  const verifyAgain = () => engine.issuers.verify(token)
  const tokenId = `user:${userId}`
  return { accountId, userId, tokenId, kind: 'session', role: 'owner', scopes: null, expiresAtMs, verifyAgain }
}

const looksLikeJwt = /^eyJ[\w-]*\.[\w-]+\.[\w-]+$/
