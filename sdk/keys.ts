import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'

/** An API key of the workspace, for programs. */
export interface ApiKey {
  key_id: string
  name: string
  /** `compute`, `account`; null for all scopes. */
  scopes: string[] | null
  created_at: string
  /** Precise to the minute. */
  last_used_at: string | null
  expires_at: string | null
}

/** An API key with its secret, which is returned only once. */
export interface NewApiKey extends ApiKey {
  api_key: string
}

export interface NewKeyOptions extends RequestOptions {
  name?: string | undefined
  /** Default: the scopes of the token that is used. */
  scopes?: string[] | undefined
  /** Seconds until the key expires; default: never. */
  expiresInS?: number | undefined
}

/** The API keys of the workspace. Creating and revoking them requires the role `admin`. */
export class Keys {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** Returns the keys that are not revoked, newest first, without their secrets. */
  async list(options: RequestOptions = {}): Promise<ApiKey[]> {
    const { transport } = this.#context
    const request = { method: 'GET' as const, path, retry: 'repeatable' as const, ...callFields(options) }
    return (await transport.json<{ api_keys: ApiKey[] }>(request)).api_keys
  }

  /** Creates a key. The request is not repeated when its answer is lost, as the secret would be lost with it. */
  create({ name, scopes, expiresInS, ...options }: NewKeyOptions = {}): Promise<NewApiKey> {
    const json = { name, scopes, expires_in: expiresInS }
    const request = { method: 'POST' as const, path, json, retry: 'refused' as const, ...callFields(options) }
    return this.#context.transport.json<NewApiKey>(request)
  }

  /** Revokes a key, which is refused from the next request on. */
  async revoke(keyId: string, options: RequestOptions = {}): Promise<void> {
    const json = { key_id: keyId }
    const request = { method: 'DELETE' as const, path, json, retry: 'refused' as const, ...callFields(options) }
    await this.#context.transport.json(request)
  }
}

const path = '/users/me/api-keys'
