import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Settings } from '../../../config/settings.ts'
import { githubAuthorization } from '../../../engine/identity/auth/github.ts'
import { CarrelError } from '../../../errors.ts'
import { onlyCookie } from '../../only-cookie.ts'
import { callbackOf, type Callback } from './callback.ts'

type GithubSettings = Pick<Settings, 'githubUrl' | 'githubClientId' | 'githubClientSecret'>

/** Whether people can sign in by GitHub in a browser. */
export function hasGithub({ githubClientId, githubClientSecret }: GithubSettings): boolean {
  return Boolean(githubClientId && githubClientSecret)
}

/**
 * Sends a browser to GitHub. A cookie remembers the program's request, and that it was this browser's. Throws
 * `not_set_up`.
 */
export function leadToGithub(
  settings: GithubSettings,
  { baseUrl }: FastifyRequest,
  reply: FastifyReply,
  { url, state }: Callback,
): FastifyReply {
  if (!hasGithub(settings))
    throw new CarrelError('not_set_up', 'Cannot sign in by GitHub: this server has no app there')
  const nonce = randomBytes(32).toString('base64url')
  const kept = Buffer.from(JSON.stringify({ callback_url: url.href, state })).toString('base64url')
  const redirectUri = `${baseUrl}/api/cli/auth/github/callback`
  return reply
    .header('set-cookie', cookieOf(baseUrl, `${nonce}.${kept}`, lifeS))
    .header('cache-control', 'no-store')
    .header('referrer-policy', 'no-referrer')
    .redirect(githubAuthorization(settings, { redirectUri, state: nonce }), 303)
}

/**
 * Returns the request of a program that a browser brings back from GitHub, and forgets it. Throws `invalid_request`
 * unless it was this browser that was sent there.
 */
export function backFromGithub({ headers, baseUrl }: FastifyRequest, reply: FastifyReply, state: string): Callback {
  void reply.header('set-cookie', cookieOf(baseUrl, '', 0))
  const [nonce = '', kept = ''] = (onlyCookie(headers.cookie, nameOf(baseUrl)) ?? '').split('.')
  if (nonce.length === 0 || !isSame(nonce, state)) throw notBegun()
  try {
    const { callback_url, state: ofProgram } = JSON.parse(Buffer.from(kept, 'base64url').toString()) as Kept
    return callbackOf({ callback_url: String(callback_url), state: String(ofProgram) })
  } catch {
    throw notBegun()
  }
}

interface Kept {
  callback_url: unknown
  state: unknown
}

function notBegun(): CarrelError {
  return new CarrelError(
    'invalid_request',
    'Cannot sign in by GitHub: it was not begun in this browser, or too long ago',
  )
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** The prefix keeps a page of another host of the same domain, such as a preview, from setting the cookie. */
function nameOf(origin: string): string {
  return origin.startsWith('https:') ? '__Host-carrel-cli' : 'carrel-cli'
}

function cookieOf(origin: string, value: string, maxAgeS: number): string {
  const secure = origin.startsWith('https:') ? '; Secure' : ''
  return `${nameOf(origin)}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Lax${secure}`
}

const lifeS = 15 * 60
