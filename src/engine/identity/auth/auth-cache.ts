import { limits } from '../../../config/limits.ts'
import { versionOf } from '../../../db/reader.ts'
import type { Authenticated } from '../accounts/tokens.ts'
import type { Context } from '../../context.ts'

interface Known {
  caller: Authenticated
  untilMs: number
}

/**
 * Remembers whose credentials were taken, for as long as nobody commits anything: what was revoked, or is another's by now, is looked up
 * again. None is remembered for longer than it lives, nor for longer than its last use may be out of date.
 */
export class AuthCache {
  readonly #db: Context['db']
  readonly #known = new Map<string, Known>()
  #version: number | undefined

  constructor(db: Context['db']) {
    this.#db = db
  }

  get(credential: string): Authenticated | undefined {
    const known = this.#current().get(credential)
    return known && Date.now() < known.untilMs ? known.caller : undefined
  }

  /** Asks whose it is, and remembers it unless something was committed meanwhile. Rejects as `authenticate` does. */
  async learn(credential: string, authenticate: () => Promise<Authenticated>): Promise<Authenticated> {
    const before = versionOf(this.#db)
    const caller = Object.freeze(await authenticate())
    const known = this.#current()
    if (before === undefined || this.#version !== before) return caller
    if (known.size >= maxKnown) known.clear()
    known.set(credential, {
      caller,
      untilMs: Math.min(caller.expiresAtMs ?? Infinity, Date.now() + limits.lastUsedPrecisionMs),
    })
    return caller
  }

  /** What is known in this moment. */
  #current(): Map<string, Known> {
    const version = versionOf(this.#db)
    if (version !== this.#version) this.#known.clear()
    this.#version = version
    return this.#known
  }
}

const maxKnown = 10_000
