import { createLocalJWKSet, errors, type FlattenedJWSInput, type JSONWebKeySet, type JWSHeaderParameters } from 'jose'
import { limits } from '../../../config/limits.ts'
import { readJson } from './read-json.ts'

interface Published {
  keyOf: ReturnType<typeof createLocalJWKSet>
  /** The keys as they were published, to detect a change. */
  text: string
}

interface Parts {
  /** Called when the issuer has changed its keys. */
  onChange: () => void
  /** Returns Unix milliseconds; for tests. */
  now?: () => number
}

/**
 * The keys that an issuer publishes, never older than five minutes, after which a withdrawn key is worthless. While the
 * issuer does not answer, keys of the last hour stay valid. The keys are fetched when they are due and when a token
 * names an unknown key. The interval doubles with each fetch that brings nothing new, so that tokens with made-up keys
 * cannot cause many requests to the issuer.
 */
export class IssuerKeys {
  readonly #issuer: string
  readonly #onChange: () => void
  readonly #now: () => number
  #published: Published | undefined
  #fetchedAtMs = -Infinity
  #triedAtMs = -Infinity
  #pauseMs = 0
  #fetching: Promise<void> | undefined
  #failure: unknown

  constructor(issuer: string, { onChange, now = Date.now }: Parts) {
    this.#issuer = issuer
    this.#onChange = onChange
    this.#now = now
  }

  /** Until when a token that the current keys verified need not be verified again, in Unix milliseconds. */
  get trustedUntilMs(): number {
    const freshUntilMs = this.#fetchedAtMs + limits.issuerKeysMs
    return freshUntilMs > this.#now() ? freshUntilMs : this.#triedAtMs + this.#pauseMs
  }

  /**
   * Returns the key that a JWT names. Throws JOSE's error when there is none, and another one when the keys cannot be
   * fetched.
   */
  async keyOf(header: JWSHeaderParameters, token: FlattenedJWSInput) {
    const { keyOf } = await this.#current()
    try {
      return await keyOf(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      if (this.#mayFetch()) await this.#fetch()
      if (this.#failure) throw this.#unavailable()
      return this.#published!.keyOf(header, token)
    }
  }

  async #current(): Promise<Published> {
    if (this.#since(this.#fetchedAtMs) >= limits.issuerKeysMs && this.#mayFetch()) await this.#fetch()
    if (this.#published && this.#since(this.#fetchedAtMs) < limits.issuerOutageMs) return this.#published
    throw this.#unavailable()
  }

  /** Returns the time since then; infinity when the clock was set back. */
  #since(timeMs: number): number {
    const passedMs = this.#now() - timeMs
    return passedMs < 0 ? Infinity : passedMs
  }

  #unavailable(): Error {
    return new Error("The issuer's keys cannot be fetched", { cause: this.#failure })
  }

  /** Also true while a fetch is under way: its result serves everybody who waits. */
  #mayFetch(): boolean {
    return this.#fetching !== undefined || this.#since(this.#triedAtMs) >= this.#pauseMs
  }

  /** Fetches the keys. Never throws: the earlier keys stay. */
  #fetch(): Promise<void> {
    this.#fetching ??= this.#update().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #update(): Promise<void> {
    const wasQuiet = this.#since(this.#triedAtMs) > 2 * limits.issuerRetryMs.max
    this.#pauseMs = wasQuiet ? limits.issuerRetryMs.min : Math.min(this.#pauseMs * 2, limits.issuerRetryMs.max)
    this.#triedAtMs = this.#now()
    try {
      const before = this.#published
      const keys = await publishedKeys(this.#issuer)
      const text = JSON.stringify(keys)
      if (text !== before?.text) {
        this.#published = { keyOf: createLocalJWKSet(keys), text }
        this.#pauseMs = limits.issuerRetryMs.min
        this.#onChange()
      }
      this.#fetchedAtMs = this.#triedAtMs
      this.#failure = undefined
    } catch (error) {
      this.#failure = error
    }
  }
}

async function publishedKeys(issuer: string): Promise<JSONWebKeySet> {
  const request = { signal: AbortSignal.timeout(limits.issuerTimeoutMs), maxBytes: limits.issuerAnswerBytes }
  const configuration = await readJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, request)
  const { issuer: named, jwks_uri: address } = configuration as { issuer?: unknown; jwks_uri?: unknown }
  if (named !== issuer || typeof address !== 'string')
    throw new Error(`The issuer calls itself ${JSON.stringify(named)}`)
  // Otherwise somebody between the two could insert keys.
  if (issuer.startsWith('https:') && !address.startsWith('https:'))
    throw new Error('Its keys are not at an https address')
  const { keys } = (await readJson(address, request)) as { keys?: unknown }
  if (!Array.isArray(keys) || keys.length > limits.issuerKeys)
    throw new Error(`It publishes no list of up to ${limits.issuerKeys} keys`)
  return { keys: keys as JSONWebKeySet['keys'] }
}
