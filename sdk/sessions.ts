import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'

/** A sign-in of a person, without its token. */
export interface SignInSession {
  session_id: string
  /** By what it came about, such as `email`. */
  how: string
  created_at: string
  /** To the minute. */
  last_used_at: string | null
  expires_at: string | null
  /** Whether it is the one that asks. */
  current: boolean
}

/** The sign-ins of the person whose token is used. API keys are none. */
export class Sessions {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** Those that have not ended, the newest first. */
  async list(options: RequestOptions = {}): Promise<SignInSession[]> {
    const request = { method: 'GET' as const, path, retry: 'repeatable' as const, ...callFields(options) }
    return (await this.#context.transport.json<{ sessions: SignInSession[] }>(request)).sessions
  }

  /** Signs out: its token is refused from the next request on. Without an id it is the one that asks. */
  async end(sessionId = 'current', options: RequestOptions = {}): Promise<void> {
    const address = `${path}/${encodeURIComponent(sessionId)}`
    await this.#context.transport.json({ method: 'DELETE', path: address, retry: 'refused', ...callFields(options) })
  }

  /** Signs out everywhere else; resolves with how many there were. */
  async endOthers(options: RequestOptions = {}): Promise<number> {
    const request = { method: 'DELETE' as const, path, retry: 'repeatable' as const, ...callFields(options) }
    return (await this.#context.transport.json<{ ended: number }>(request)).ended
  }
}

const path = '/users/me/sessions'
