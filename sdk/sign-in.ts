import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'

export interface Session {
  token: string
  /** Seconds. */
  expiresIn: number
  userId: string
}

/** Requests a sign-in link by mail. The answer is the same for an unknown address. */
export async function requestLink({ transport }: Context, email: string, options: RequestOptions = {}): Promise<void> {
  await transport.json({ method: 'POST', path: '/login', json: { email }, retry: 'refused', ...callFields(options) })
}

/** Exchanges the code of a sign-in link, which works once, for a token. */
export function redeemLink({ transport }: Context, code: string, options: RequestOptions = {}): Promise<Session> {
  const json = { token: code }
  return transport.json({ method: 'POST', path: '/login/callback', json, retry: 'refused', ...callFields(options) })
}
