import { decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose'
import { limits } from '../../../config/limits.ts'
import type { TrustedIssuer } from '../../../config/settings.ts'
import { CarrelError } from '../../../errors.ts'
import { unauthenticated } from '../accounts/tokens.ts'
import { IssuerKeys } from './issuer-keys.ts'
import { mailAddress } from './mail-address.ts'
import { VerifiedJwts } from './verified-jwts.ts'

/** The bearer of an issuer's token, as the issuer describes them. */
export interface Bearer {
  issuer: string
  subject: string
  name: string
  email: string | null
  expiresAtMs: number
}

/** Algorithms with which only the issuer can sign: with a shared secret, anybody who can verify could also forge. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']

interface Trusted extends TrustedIssuer {
  keys: IssuerKeys
  verified: VerifiedJwts<Bearer>
}

/** The OpenID issuers whose JWTs are accepted, each for one audience. */
export class TrustedIssuers {
  readonly #trusted: Map<string, Trusted>

  constructor(issuers: TrustedIssuer[], now: () => number = Date.now) {
    this.#trusted = new Map(
      issuers.map((trusted) => {
        const verified = new VerifiedJwts<Bearer>(now)
        const keys = new IssuerKeys(trusted.issuer, { onChange: () => verified.forgetAll(), now })
        return [trusted.issuer, { ...trusted, keys, verified }]
      }),
    )
  }

  get hasAny(): boolean {
    return this.#trusted.size > 0
  }

  /** Returns whether the token claims to be of one of them, which is still to be verified. */
  claims(token: string): boolean {
    return this.#claimed(token) !== undefined
  }

  /** Returns whether it claims so and is for this server: the issuer can have other audiences. */
  isForUs(token: string): boolean {
    const claimed = this.#claimed(token)
    return claimed !== undefined && [claimed.payload.aud].flat().includes(claimed.issuer.audience)
  }

  #claimed(token: string): { issuer: Trusted; payload: JWTPayload } | undefined {
    if (!this.hasAny) return undefined
    try {
      const payload = decodeJwt(token)
      const issuer = this.#trusted.get(payload.iss ?? '')
      return issuer && { issuer, payload }
    } catch {
      return undefined
    }
  }

  /**
   * Verifies a token. Throws `unauthenticated` when it is not valid, and `unavailable` when the issuer's keys cannot be
   * fetched.
   */
  async verify(token: string): Promise<Bearer> {
    const { issuer } = this.#claimed(token) ?? {}
    if (!issuer) throw unauthenticated('the token is not of a trusted issuer')
    return issuer.verified.get(token, () => verifyBy(issuer, token))
  }
}

async function verifyBy({ issuer, audience, keys }: Trusted, token: string) {
  let untilMs = 0
  const keyOf: JWTVerifyGetKey = async (header, jws) => {
    const key = await keys.keyOf(header, jws)
    // Keys that arrive while the signature is verified are not the ones that verify it.
    untilMs = keys.trustedUntilMs
    return key
  }
  try {
    const required = { issuer, audience, algorithms, requiredClaims: ['exp', 'sub'] }
    const { payload, protectedHeader } = await jwtVerify<Claims>(token, keyOf, required)
    assertCredential(protectedHeader, payload)
    const claims = bearerOf(issuer, payload)
    return { claims, untilMs: Math.min(untilMs, claims.expiresAtMs) }
  } catch (error) {
    if (error instanceof CarrelError) throw error
    if (error instanceof errors.JOSEError && !issuerFaults.has(error.code))
      throw unauthenticated(`the issuer's token is not valid (${error.code})`, error)
    throw new CarrelError('unavailable', `Cannot authenticate: the keys of the issuer "${issuer}" cannot be fetched`, {
      cause: error,
    })
  }
}

/**
 * Throws unless the token is a credential for requests. An issuer signs other things with the same key: refresh tokens,
 * proofs, and events such as a logout, which need not have a type of their own.
 */
function assertCredential({ typ = 'JWT' }: { typ?: unknown }, { events }: Claims): void {
  const type = String(typ).toLowerCase()
  if (!types.has(type.replace(/^application\//, '')))
    throw unauthenticated("the issuer's token is of a type for another use")
  if (events !== undefined) throw unauthenticated("the issuer's token describes an event and is not a credential")
}

function bearerOf(issuer: string, claims: JWTPayload & Claims): Bearer {
  const { sub: subject, exp = 0, iat, name, preferred_username: userName, email, email_verified: isVerified } = claims
  if (typeof subject !== 'string' || subject === '' || subject.length > limits.subjectLength)
    throw unauthenticated(`the issuer's token has no subject of 1 to ${limits.subjectLength} characters`)
  if (invisible.test(subject))
    throw unauthenticated("the issuer's token has a subject with line breaks or invisible characters")
  const address = (isVerified === true ? mailAddress(email) : undefined) ?? null
  const called = [name, userName, address].find((one) => typeof one === 'string' && one !== '')
  const expiresAtMs = endOf(exp * 1000, iat === undefined ? undefined : iat * 1000)
  return { issuer, subject, name: typeof called === 'string' ? called : subject, email: address, expiresAtMs }
}

/**
 * Returns when a token expires, at most a day after it was issued. A token without the time of issue is accepted on its
 * last day.
 */
function endOf(expiresAtMs: number, issuedAtMs: number | undefined): number {
  const now = Date.now()
  if (issuedAtMs !== undefined && issuedAtMs > now + limits.issuerClockMs)
    throw unauthenticated("the issuer's token was issued in the future")
  if (issuedAtMs === undefined && expiresAtMs > now + limits.issuerTokenMs)
    throw unauthenticated("the issuer's token expires in more than a day, and does not say when it was issued")
  const endsAtMs = Math.min(expiresAtMs, (issuedAtMs ?? now) + limits.issuerTokenMs)
  if (endsAtMs <= now) throw unauthenticated("the issuer's token was issued more than a day ago")
  return endsAtMs
}

interface Claims {
  name?: unknown
  preferred_username?: unknown
  email?: unknown
  email_verified?: unknown
  events?: unknown
}

const issuerFaults = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID'])
/** The types of access tokens, and of JWTs without a specific use. */
const types = new Set(['jwt', 'at+jwt'])
const invisible = /[\p{C}\p{Zl}\p{Zp}]/u
