import { limits } from '../../../config/limits.ts'
import { versionOf } from '../../../db/reader.ts'
import type { Authenticated } from '../accounts/tokens.ts'
import type { Context } from '../../context.ts'

interface Entry {
  caller: Authenticated
  untilMs: number
}

/**
 * Caches the callers of accepted credentials until the next commit to the database, after which a revoked or changed
 * token is looked up again. A caller is cached no longer than its token lives, and no longer than the time of its last
 * use may be out of date (`limits.lastUsedPrecisionMs`).
 */
export class AuthCache {
  readonly #db: Context['db']
  readonly #entries = new Map<string, Entry>()
  #version: number | undefined

  constructor(db: Context['db']) {
    this.#db = db
  }

  get(credential: string): Authenticated | undefined {
    const entry = this.#current().get(credential)
    return entry && Date.now() < entry.untilMs ? entry.caller : undefined
  }

  /**
   * Authenticates a credential, and caches its caller unless something is committed meanwhile. Throws as `authenticate`
   * does.
   */
  async load(credential: string, authenticate: () => Promise<Authenticated>): Promise<Authenticated> {
    const before = versionOf(this.#db)
    const caller = Object.freeze(await authenticate())
    const entries = this.#current()
    if (before === undefined || this.#version !== before) return caller
    if (entries.size >= maxEntries) entries.clear()
    entries.set(credential, {
      caller,
      untilMs: Math.min(caller.expiresAtMs ?? Infinity, Date.now() + limits.lastUsedPrecisionMs),
    })
    return caller
  }

  /** Returns the entries that are valid now. */
  #current(): Map<string, Entry> {
    const version = versionOf(this.#db)
    if (version !== this.#version) this.#entries.clear()
    this.#version = version
    return this.#entries
  }
}

const maxEntries = 10_000
