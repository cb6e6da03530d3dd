import type { IncomingHttpHeaders } from 'node:http'

/** The cookie of a visitor who came with the token of an access session. It is for one preview's host alone. */
export const visitorCookie = 'carrel_access'

/** Returns what a visitor of a private port shows: a bearer token, `X-Session-Token`, or the cookie. */
export function visitorCredential(headers: IncomingHttpHeaders): string | undefined {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? []
  const session = headers['x-session-token']
  const [, cookie] = new RegExp(`(?:^|; *)${visitorCookie}=([^; ]+)`).exec(headers.cookie ?? '') ?? []
  return bearer ?? (typeof session === 'string' ? session : undefined) ?? cookie
}

export interface Entrance {
  token: string
  /** The same address without the token. */
  target: string
}

/** Returns the token in the query of an address, which a link to a private port has. */
export function entranceOf(target: string | undefined): Entrance | undefined {
  if (!target?.includes('access_token=pp_access_')) return undefined
  const url = new URL(target, 'http://preview')
  const token = url.searchParams.get('access_token')
  if (token === null) return undefined
  url.searchParams.delete('access_token')
  // A path such as `//host` must not become another origin.
  return { token, target: url.pathname.replace(/^\/+/, '/') + url.search }
}
