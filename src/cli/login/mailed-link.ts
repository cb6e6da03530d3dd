import { CarrelApiError, CarrelConnectionError } from '../../../sdk/index.ts'
import { UsageError } from '../usage-error.ts'

/** A link from a message of the server. */
export interface MailedLink {
  /** `sign-in` signs in; `invitation` makes a member and signs nobody in. */
  kind: 'sign-in' | 'invitation'
  code: string
  origin: string
}

/** Parses a link. Returns undefined for text that is no URL, such as a token. */
export function parseMailedLink(text: string): MailedLink | undefined {
  const url = URL.parse(text)
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return undefined
  const code = url.searchParams.get('token')
  if (!code)
    throw new UsageError(`Cannot use the link: there is no code in it; paste the whole link, from "${url.protocol}" on`)
  return { kind: url.pathname.endsWith('/invitation') ? 'invitation' : 'sign-in', code, origin: url.origin }
}

/**
 * Sends the code of a link to the server. If it is refused, the error mentions a different server that the link may
 * belong to.
 */
export async function answerTo<T>({ origin }: MailedLink, serverUrl: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    const isRefused = error instanceof CarrelApiError && error.status === 401
    if (!isRefused && !(error instanceof CarrelConnectionError)) throw error
    const isOther = new URL(serverUrl).origin !== origin
    if (!isRefused && !isOther) throw error
    const hint = isOther ? `. The link is from ${origin}, but ${serverUrl} was asked: use --url ${origin}` : ''
    throw new Error(`${error.message}${hint}`, { cause: error })
  }
}
