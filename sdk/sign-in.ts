import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'

export interface Session {
  token: string
  /** Seconds. */
  expiresIn: number
  userId: string
}

/** Requests a sign-in link by mail. Resolves with where to find it, which is the same for an unknown address. */
export async function requestLink(
  { transport }: Context,
  email: string,
  options: RequestOptions = {},
): Promise<string> {
  const call = { method: 'POST', path: '/login', json: { email }, retry: 'refused', ...callFields(options) } as const
  return (await transport.json<{ message: string }>(call)).message
}

/** Exchanges the code of a sign-in link, which works once, for a token. */
export function redeemLink({ transport }: Context, code: string, options: RequestOptions = {}): Promise<Session> {
  const json = { token: code }
  return transport.json({ method: 'POST', path: '/login/callback', json, retry: 'refused', ...callFields(options) })
}
