import { callFields } from '../context.ts'
import type { Context, RequestOptions } from '../context.ts'
import { get, pathOf, remove } from './requests.ts'

/** What a session opens. */
export type AccessKind = 'browser' | 'vnc' | 'ssh' | 'exec'

/** A short-lived right to use one running computer. */
export interface AccessSession {
  id: string
  computer_id: string
  kind: AccessKind
  /** `ended`: the computer has stopped, or belongs to another workspace. */
  state: 'active' | 'expired' | 'revoked' | 'ended'
  /** Where the session is used, with its token when it was just created. */
  access_url: string
  /** Where programs use the session, without its token. */
  connect_url: string
  /** Shown only when the session is created. */
  connect_token: string | null
  created_at: string
  expires_at: string
  revoked_at: string | null
}

export interface NewAccessSessionOptions extends RequestOptions {
  kind: AccessKind
  /** Default: an hour. */
  ttlSeconds?: number | undefined
}

/** Access sessions of computers. */
export class AccessSessions {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** Creates a session of a running computer. */
  async create(
    computer: string,
    { kind, ttlSeconds, ...options }: NewAccessSessionOptions,
  ): Promise<AccessSession & { connect_token: string }> {
    const answer = await this.#context.transport.json<{ session: AccessSession & { connect_token: string } }>({
      method: 'POST',
      path: sessionsPath(computer),
      json: { kind, ttl_seconds: ttlSeconds },
      retry: 'refused',
      ...callFields(options),
    })
    return answer.session
  }

  async get(computer: string, sessionId: string, options: RequestOptions = {}): Promise<AccessSession> {
    const path = `${sessionsPath(computer)}/${encodeURIComponent(sessionId)}`
    return (await get<{ session: AccessSession }>(this.#context, path, options)).session
  }

  /** Revokes a session, and ends what is open in it. */
  revoke(computer: string, sessionId: string, options: RequestOptions = {}): Promise<void> {
    return remove(this.#context, `${sessionsPath(computer)}/${encodeURIComponent(sessionId)}`, options)
  }
}

function sessionsPath(computer: string): string {
  return `${pathOf(computer)}/access-sessions`
}
