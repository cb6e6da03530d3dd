import type { IncomingMessage } from 'node:http'
import type { Settings } from '../../../config/settings.ts'
import { CarrelError } from '../../../errors.ts'
import { isSecurePage } from './page-cookie.ts'

/**
 * Refuses a request that another page makes with the cookie of this one: throws `forbidden`. What runs in computers has
 * pages of the same site, so that `SameSite` keeps none of them away. A browser names the origin of each WebSocket and of
 * each request that is no GET.
 */
export function assertOwnOrigin(settings: Settings, { headers, method }: IncomingMessage): void {
  const { origin, host, upgrade, 'sec-fetch-site': site } = headers
  const isNamed = upgrade !== undefined || (method !== 'GET' && method !== 'HEAD')
  if (site !== undefined && site !== 'same-origin') throw elsewhere()
  if (origin === undefined ? isNamed : !isOwn(settings, origin, host)) throw elsewhere()
}

function isOwn(settings: Settings, origin: string, host: string | undefined): boolean {
  const url = URL.parse(origin)
  if (!url || url.host !== host?.toLowerCase()) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && !isSecurePage(settings))
}

function elsewhere(): CarrelError {
  return new CarrelError('forbidden', 'Cannot accept the request: it comes from a page of another origin')
}
