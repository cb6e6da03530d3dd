import { createRemoteJWKSet, decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose'
import { limits } from '../../config/limits.ts'
import type { TrustedIssuer } from '../../config/settings.ts'
import { CarrelError } from '../../errors.ts'
import { refusal } from '../accounts/tokens.ts'
import { VerifiedJwts } from './verified-jwts.ts'

/** Whom an issuer says that the bearer is. */
export interface Bearer {
  issuer: string
  subject: string
  name: string
  email: string | null
  expiresAtMs: number
}

/** Signatures alone that only the issuer can make: with a shared secret, whoever can check one could forge one. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']

/** The OpenID issuers whose JWTs are taken, each for one audience. Their keys are fetched when they are needed, and kept. */
export class TrustedIssuers {
  readonly #trusted: Map<string, TrustedIssuer>
  readonly #keys = new Map<string, Promise<JWTVerifyGetKey>>()
  readonly #verified = new VerifiedJwts<Bearer>()

  constructor(issuers: TrustedIssuer[]) {
    this.#trusted = new Map(issuers.map((issuer) => [issuer.issuer, issuer]))
  }

  get areAny(): boolean {
    return this.#trusted.size > 0
  }

  /** Whether the token says that it is of one of them, which is still to be verified. */
  claims(token: string): boolean {
    return this.#claimed(token) !== undefined
  }

  /** Whether it says so and is for this server: the same issuer may sign others in too. */
  isForUs(token: string): boolean {
    const claimed = this.#claimed(token)
    return claimed !== undefined && [claimed.payload.aud].flat().includes(claimed.issuer.audience)
  }

  #claimed(token: string): { issuer: TrustedIssuer; payload: JWTPayload } | undefined {
    if (!this.areAny) return undefined
    try {
      const payload = decodeJwt(token)
      const issuer = this.#trusted.get(payload.iss ?? '')
      return issuer && { issuer, payload }
    } catch {
      return undefined
    }
  }

  /** Rejects with `unauthenticated` for one that is not valid, with `unavailable` when the issuer's keys cannot be had. */
  verify(token: string): Promise<Bearer> {
    return this.#verified.get(token, () => this.#verify(token))
  }

  async #verify(token: string): Promise<Bearer> {
    const { issuer, audience } = this.#trusted.get(decodeJwt(token).iss ?? '')!
    try {
      const { payload } = await jwtVerify<Claims>(token, await this.#keysOf(issuer), {
        issuer,
        audience,
        algorithms,
        requiredClaims: ['exp', 'sub'],
      })
      return bearerOf(issuer, payload)
    } catch (error) {
      if (error instanceof CarrelError) throw error
      if (error instanceof errors.JOSEError && !faultsOfIssuer.has(error.code))
        throw refusal(`the issuer's token is not valid (${error.code})`, error)
      throw new CarrelError('unavailable', `Cannot authenticate: the keys of the issuer "${issuer}" cannot be had`, {
        cause: error,
      })
    }
  }

  #keysOf(issuer: string): Promise<JWTVerifyGetKey> {
    const known = this.#keys.get(issuer)
    if (known) return known
    const keys = discover(issuer)
    this.#keys.set(issuer, keys)
    // One that did not answer is asked again.
    keys.catch(() => this.#keys.delete(issuer))
    return keys
  }
}

function bearerOf(issuer: string, claims: JWTPayload & Claims): Bearer {
  const { sub: subject, exp = 0, name, preferred_username: userName, email, email_verified: isVerified } = claims
  if (typeof subject !== 'string' || subject === '' || subject.length > limits.subjectLength)
    throw refusal(`the issuer's token names its subject by no text of 1 to ${limits.subjectLength} characters`)
  const expiresAtMs = exp * 1000
  if (expiresAtMs > lastDateMs) throw refusal("the issuer's token ends later than any date")
  const address = isVerified === true && typeof email === 'string' ? email : null
  const called = [name, userName, address].find((one) => typeof one === 'string' && one !== '')
  return { issuer, subject, name: typeof called === 'string' ? called : subject, email: address, expiresAtMs }
}

interface Claims {
  name?: unknown
  preferred_username?: unknown
  email?: unknown
  email_verified?: unknown
}

async function discover(issuer: string): Promise<JWTVerifyGetKey> {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    signal: AbortSignal.timeout(timeoutMs),
    redirect: 'error',
  })
  if (!response.ok) throw new Error(`The issuer's configuration answered ${response.status}`)
  const { issuer: named, jwks_uri: address } = (await response.json()) as { issuer?: string; jwks_uri?: string }
  if (named !== issuer || !address) throw new Error(`The issuer calls itself ${JSON.stringify(named)}`)
  return createRemoteJWKSet(new URL(address), { timeoutDuration: timeoutMs, cooldownDuration: cooldownMs })
}

const faultsOfIssuer = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID'])
const timeoutMs = 5_000
/** An unknown key has the keys fetched again, so soon at the earliest: until then a token of it is refused. */
const cooldownMs = 1_000
const lastDateMs = 8.64e15
