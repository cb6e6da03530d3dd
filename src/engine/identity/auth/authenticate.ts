import { authenticateFamily, authenticateToken, type Authenticated } from '../accounts/tokens.ts'
import { enterWorkspace } from '../workspaces/enter-workspace.ts'
import { signIn } from './sign-in.ts'
import type { IdentityContext } from '../identity.ts'

/**
 * Returns the caller of a token of any kind. `<token>~<workspace id>` is the same user in another workspace, wherever a
 * token is accepted. Throws `unauthenticated` when the token is unknown, expired or revoked, and `not_found` when the
 * user is not a member of the workspace. A cached caller is returned without waiting.
 */
export function authenticateAny(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'prices' | 'accessTokens' | 'issuers' | 'authCache'>,
  credential: string,
): Authenticated | Promise<Authenticated> {
  return (
    engine.authCache.get(credential) ??
    engine.authCache.load(credential, () => authenticateUncached(engine, credential))
  )
}

async function authenticateUncached(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'prices' | 'accessTokens' | 'issuers'>,
  credential: string,
): Promise<Authenticated> {
  const { token, workspaceId } = splitCredential(credential)
  if (workspaceId === undefined) return authenticateOne(engine, token)
  return enterWorkspace(engine, await authenticateOne(engine, token), workspaceId)
}

/** Splits `<token>~<workspace id>`. */
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

/** Returns the caller of an access token, which ends with its sign-in. */
async function authenticateAccess(
  engine: Pick<IdentityContext, 'db' | 'accessTokens'>,
  token: string,
): Promise<Authenticated> {
  const { familyId, expiresAtMs } = await engine.accessTokens.verify(token)
  return { ...(await authenticateFamily(engine.db, familyId)), expiresAtMs }
}

/**
 * Returns the caller of an issuer's token. A new subject gets a user with a workspace. A mail address in the token does
 * not connect the subject with a user who has that address.
 */
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
