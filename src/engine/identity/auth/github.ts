import { limits } from '../../../config/limits.ts'
import type { Settings } from '../../../config/settings.ts'
import { CarrelError } from '../../../errors.ts'
import { notSetUp } from '../../not-set-up.ts'
import { mailAddress } from './mail-address.ts'
import { readJson } from './read-json.ts'
import { openFamily, type TokenPair } from './refresh-tokens.ts'
import { signIn, type Proof, type SignedIn } from './sign-in.ts'
import type { IdentityContext } from '../identity.ts'
import type { Context } from '../../context.ts'

/**
 * Signs a user in by the code that GitHub issued. Throws `unauthenticated` when GitHub does not accept the code,
 * `forbidden` when GitHub knows no verified address of the user, `not_set_up` when the operator has not configured
 * GitHub, and `unavailable` when GitHub does not answer.
 */
export async function signInByGithub(
  engine: Pick<IdentityContext, 'db' | 'settings' | 'log' | 'prices' | 'accessTokens'>,
  { code, network }: { code: string; network: string },
): Promise<TokenPair & SignedIn> {
  const user = await signIn(engine, { ...(await proofOf(engine, code)), network })
  return { ...user, ...(await openFamily(engine, user, 'github')) }
}

/** Returns the address at GitHub where a person agrees to sign in here; the browser comes back to `redirectUri`. */
export function githubAuthorization(
  { githubUrl, githubClientId }: Pick<Settings, 'githubUrl' | 'githubClientId'>,
  { redirectUri, state }: { redirectUri: string; state: string },
): string {
  const address = new URL(`${githubUrl}/login/oauth/authorize`)
  address.search = new URLSearchParams({
    client_id: githubClientId ?? '',
    redirect_uri: redirectUri,
    scope: 'user:email',
    state,
  }).toString()
  return address.href
}

async function proofOf(engine: Pick<Context, 'settings' | 'log'>, code: string): Promise<Proof> {
  const { githubApiUrl } = engine.settings
  const token = await exchange(engine, code)
  const headers = { authorization: `Bearer ${token}`, accept: 'application/vnd.github+json', 'user-agent': 'carrel' }
  const [user, emails] = await Promise.all([
    ask<User>(`${githubApiUrl}/user`, { headers }),
    ask<Email[]>(`${githubApiUrl}/user/emails`, { headers }),
  ])
  if (!Number.isSafeInteger(user.id) || !Array.isArray(emails)) throw unavailable('its answer has no user')
  const verified = emails.filter(({ verified }) => verified)
  const address = mailAddress((verified.find(({ primary }) => primary) ?? verified[0])?.email)
  if (!address)
    throw new CarrelError('forbidden', 'Cannot sign in by GitHub: you have no mail address that GitHub has verified')
  return {
    provider: 'github',
    subject: String(user.id),
    name: user.name || user.login || address,
    email: address,
    emailIsVerified: true,
  }
}

interface User {
  id: number
  login?: string
  name?: string | null
}

interface Email {
  email: string
  primary: boolean
  verified: boolean
}

/** Exchanges the code for an access token. GitHub answers errors with status 200 here. */
async function exchange({ settings, log }: Pick<Context, 'settings' | 'log'>, code: string): Promise<string> {
  const { githubUrl, githubClientId, githubClientSecret } = settings
  if (!githubClientId || !githubClientSecret)
    throw notSetUp(
      'Cannot sign in by GitHub',
      'this server has no OAuth app there',
      'set CARREL_GITHUB_CLIENT_ID and CARREL_GITHUB_CLIENT_SECRET',
    )
  const answer = await ask<{ access_token?: unknown; error?: unknown }>(`${githubUrl}/login/oauth/access_token`, {
    method: 'POST',
    headers: { accept: 'application/json', 'user-agent': 'carrel' },
    body: new URLSearchParams({ client_id: githubClientId, client_secret: githubClientSecret, code }),
  })
  if (typeof answer.access_token === 'string' && answer.access_token) return answer.access_token
  if (answer.error === 'bad_verification_code')
    throw new CarrelError(
      'unauthenticated',
      'Cannot sign in by GitHub: the code is wrong, was used already or has expired',
    )
  log.error({ error: answer.error }, 'GitHub refuses to exchange a code')
  throw unavailable(`it answers ${JSON.stringify(answer.error ?? 'without a token')}`)
}

async function ask<T>(url: string, init: Omit<RequestInit, 'redirect' | 'signal'>): Promise<T> {
  try {
    const bounds = { signal: AbortSignal.timeout(timeoutMs), maxBytes: limits.issuerAnswerBytes }
    return (await readJson(url, { ...init, ...bounds })) as T
  } catch (cause) {
    throw unavailable('it does not answer as expected', cause)
  }
}

function unavailable(reason: string, cause?: unknown): CarrelError {
  return new CarrelError('unavailable', `Cannot sign in by GitHub: ${reason}`, { cause })
}

const timeoutMs = 10_000
