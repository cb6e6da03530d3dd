import { createLocalJWKSet, errors, type FlattenedJWSInput, type JSONWebKeySet, type JWSHeaderParameters } from 'jose'
import { limits } from '../../../config/limits.ts'
import { readJson } from './read-json.ts'

interface Published {
  keyOf: ReturnType<typeof createLocalJWKSet>
  /** As they were published, to know whether they changed. */
  text: string
}

interface Parts {
  /** Called when the issuer publishes other keys than before. */
  onChange: () => void
  /** Unix milliseconds; for tests. */
  now?: () => number
}

/**
 * The keys that an issuer publishes, never older than five minutes: a key that is withdrawn is good for nothing after that. While the
 * issuer does not answer, those of the last hour go on. It is asked when they are due and for a key that is none of them; the more
 * seldom the more often it is asked in vain, so that tokens with made-up keys are no way to make requests to it.
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

  /** Up to when what was verified by the keys of now can be taken on trust. */
  get goodUntilMs(): number {
    const freshUntilMs = this.#fetchedAtMs + limits.issuerKeysMs
    return freshUntilMs > this.#now() ? freshUntilMs : this.#triedAtMs + this.#pauseMs
  }

  /** The key that a JWT names. Rejects with JOSE's error when there is none, with another one when the keys cannot be had. */
  async keyOf(header: JWSHeaderParameters, token: FlattenedJWSInput) {
    const { keyOf } = await this.#current()
    try {
      return await keyOf(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      if (this.#mayAsk()) await this.#fetch()
      if (this.#failure) throw this.#unavailable()
      return this.#published!.keyOf(header, token)
    }
  }

  async #current(): Promise<Published> {
    if (this.#since(this.#fetchedAtMs) >= limits.issuerKeysMs && this.#mayAsk()) await this.#fetch()
    if (this.#published && this.#since(this.#fetchedAtMs) < limits.issuerOutageMs) return this.#published
    throw this.#unavailable()
  }

  /** For ever, where the clock was set back since. */
  #since(timeMs: number): number {
    const passedMs = this.#now() - timeMs
    return passedMs < 0 ? Infinity : passedMs
  }

  #unavailable(): Error {
    return new Error('The issuer was asked for its keys in vain', { cause: this.#failure })
  }

  /** True while it is asked, too: whoever comes then waits for the same answer. */
  #mayAsk(): boolean {
    return this.#fetching !== undefined || this.#since(this.#triedAtMs) >= this.#pauseMs
  }

  /** Never rejects: what there was stays. */
  #fetch(): Promise<void> {
    this.#fetching ??= this.#ask().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #ask(): Promise<void> {
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
  const asked = { signal: AbortSignal.timeout(limits.issuerTimeoutMs), maxBytes: limits.issuerAnswerBytes }
  const configuration = await readJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, asked)
  const { issuer: named, jwks_uri: address } = configuration as { issuer?: unknown; jwks_uri?: unknown }
  if (named !== issuer || typeof address !== 'string')
    throw new Error(`The issuer calls itself ${JSON.stringify(named)}`)
  // Who is on the way could put in keys of their own.
  if (issuer.startsWith('https:') && !address.startsWith('https:'))
    throw new Error('Its keys are not at an https address')
  const { keys } = (await readJson(address, asked)) as { keys?: unknown }
  if (!Array.isArray(keys) || keys.length > limits.issuerKeys)
    throw new Error(`It publishes no list of up to ${limits.issuerKeys} keys`)
  return { keys: keys as JSONWebKeySet['keys'] }
}
