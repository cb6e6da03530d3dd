import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'

/** A sign-in of a user, without its token. */
export interface SignInSession {
  session_id: string
  /** The sign-in method, such as `email`. */
  how: string
  created_at: string
  /** Precise to the minute. */
  last_used_at: string | null
  expires_at: string | null
  /** Whether it is the sign-in of this client's token. */
  current: boolean
}

/** The sign-ins of the token's user. API keys are not sign-ins. */
export class Sessions {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** Returns the active sign-ins, newest first. */
  async list(options: RequestOptions = {}): Promise<SignInSession[]> {
    const request = { method: 'GET' as const, path, retry: 'repeatable' as const, ...callFields(options) }
    return (await this.#context.transport.json<{ sessions: SignInSession[] }>(request)).sessions
  }

  /** Signs out: the token of the sign-in is refused from the next request on. Default: the token that is used. */
  async end(sessionId = 'current', options: RequestOptions = {}): Promise<void> {
    const address = `${path}/${encodeURIComponent(sessionId)}`
    await this.#context.transport.json({ method: 'DELETE', path: address, retry: 'refused', ...callFields(options) })
  }

  /** Ends all other sign-ins. Resolves with their number. */
  async endOthers(options: RequestOptions = {}): Promise<number> {
    const request = { method: 'DELETE' as const, path, retry: 'repeatable' as const, ...callFields(options) }
    return (await this.#context.transport.json<{ ended: number }>(request)).ended
  }
}

const path = '/users/me/sessions'
