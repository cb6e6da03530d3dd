import type { IncomingHttpHeaders } from 'node:http'
import type { Settings } from '../../../config/settings.ts'
import { isAccessToken } from '../../../engine/computers/access-sessions/access-session.ts'
import { onlyCookie } from '../../../http/only-cookie.ts'
import { originUnder } from '../../../http/previews/preview-name.ts'

/** Returns whether the pages of computers are reached by https. */
export function isSecurePage(settings: Settings): boolean {
  return originUnder(settings, 'page').startsWith('https:')
}

/** Returns the header that keeps the token of a session in a cookie of this host alone, for as long as it lasts. */
export function sessionCookie(settings: Settings, token: string, expiresAtMs: number): string {
  const lifeS = Math.max(1, Math.floor((expiresAtMs - Date.now()) / 1000))
  const secure = isSecurePage(settings) ? '; Secure' : ''
  return `${nameOf(settings)}=${token}; Path=/; Max-Age=${lifeS}; HttpOnly; SameSite=Lax${secure}`
}

/** Returns the token that a request carries: in `Authorization`, as programs send it, or in the cookie. */
export function pageCredential(
  settings: Settings,
  { authorization, cookie }: IncomingHttpHeaders,
): { token: string | undefined; isCookie: boolean } {
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? []
  if (bearer !== undefined) return { token: accessToken(bearer), isCookie: false }
  return { token: accessToken(onlyCookie(cookie, nameOf(settings))), isCookie: true }
}

function accessToken(text: string | undefined): string | undefined {
  return text !== undefined && isAccessToken(text) ? text : undefined
}

/** By https the name makes browsers refuse such a cookie from any other host. */
function nameOf(settings: Settings): string {
  return isSecurePage(settings) ? '__Host-carrel_page' : 'carrel_page'
}
