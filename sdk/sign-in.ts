import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'

export interface Session {
  token: string
  /** Seconds. */
  expiresIn: number
  userId: string
}

/** Has a link for signing in sent to an address. The answer is the same for one that nobody knows. */
export async function requestLink({ transport }: Context, email: string, options: RequestOptions = {}): Promise<void> {
  await transport.json({ method: 'POST', path: '/login', json: { email }, retry: 'refused', ...callFields(options) })
}

/** The token for the code of a link, which works once. */
export function redeemLink({ transport }: Context, code: string, options: RequestOptions = {}): Promise<Session> {
  const json = { token: code }
  return transport.json({ method: 'POST', path: '/login/callback', json, retry: 'refused', ...callFields(options) })
}
