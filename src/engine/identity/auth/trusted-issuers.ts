import { decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose'
import { limits } from '../../../config/limits.ts'
import type { TrustedIssuer } from '../../../config/settings.ts'
import { CarrelError } from '../../../errors.ts'
import { refusal } from '../accounts/tokens.ts'
import { IssuerKeys } from './issuer-keys.ts'
import { mailAddress } from './mail-address.ts'
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

interface Trusted extends TrustedIssuer {
  keys: IssuerKeys
  verified: VerifiedJwts<Bearer>
}

/** The OpenID issuers whose JWTs are taken, each for one audience. */
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

  #claimed(token: string): { issuer: Trusted; payload: JWTPayload } | undefined {
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
  async verify(token: string): Promise<Bearer> {
    const { issuer } = this.#claimed(token) ?? {}
    if (!issuer) throw refusal('the token is of no issuer that is trusted here')
    return issuer.verified.get(token, () => verifiedBy(issuer, token))
  }
}

async function verifiedBy({ issuer, audience, keys }: Trusted, token: string) {
  let untilMs = 0
  const keyOf: JWTVerifyGetKey = async (header, jws) => {
    const key = await keys.keyOf(header, jws)
    // Keys that come while the signature is checked say nothing of this one.
    untilMs = keys.goodUntilMs
    return key
  }
  try {
    const required = { issuer, audience, algorithms, requiredClaims: ['exp', 'sub'] }
    const { payload, protectedHeader } = await jwtVerify<Claims>(token, keyOf, required)
    assertForRequests(protectedHeader, payload)
    const claims = bearerOf(issuer, payload)
    return { claims, untilMs: Math.min(untilMs, claims.expiresAtMs) }
  } catch (error) {
    if (error instanceof CarrelError) throw error
    if (error instanceof errors.JOSEError && !faultsOfIssuer.has(error.code))
      throw refusal(`the issuer's token is not valid (${error.code})`, error)
    throw new CarrelError('unavailable', `Cannot authenticate: the keys of the issuer "${issuer}" cannot be had`, {
      cause: error,
    })
  }
}

/**
 * The same key signs what is for other uses: refresh tokens, proofs, and events such as somebody's end of a session, which may come
 * without a type of their own. Those are no credentials of a request.
 */
function assertForRequests({ typ = 'JWT' }: { typ?: unknown }, { events }: Claims): void {
  const type = String(typ).toLowerCase()
  if (!types.has(type.replace(/^application\//, '')))
    throw refusal("the issuer's token is of a type that is for something else")
  if (events !== undefined) throw refusal("the issuer's token tells of an event, and is for nobody to use")
}

function bearerOf(issuer: string, claims: JWTPayload & Claims): Bearer {
  const { sub: subject, exp = 0, iat, name, preferred_username: userName, email, email_verified: isVerified } = claims
  if (typeof subject !== 'string' || subject === '' || subject.length > limits.subjectLength)
    throw refusal(`the issuer's token names its subject by no text of 1 to ${limits.subjectLength} characters`)
  if (unseen.test(subject))
    throw refusal("the issuer's token names its subject with line breaks or signs that are not seen")
  const address = (isVerified === true ? mailAddress(email) : undefined) ?? null
  const called = [name, userName, address].find((one) => typeof one === 'string' && one !== '')
  const expiresAtMs = endOf(exp * 1000, iat === undefined ? undefined : iat * 1000)
  return { issuer, subject, name: typeof called === 'string' ? called : subject, email: address, expiresAtMs }
}

/** It ends a day after it was issued at the latest. One that does not say when it was is taken on its last day. */
function endOf(expiresAtMs: number, issuedAtMs: number | undefined): number {
  const now = Date.now()
  if (issuedAtMs !== undefined && issuedAtMs > now + limits.issuerClockMs)
    throw refusal("the issuer's token was issued in the future")
  if (issuedAtMs === undefined && expiresAtMs > now + limits.issuerTokenMs)
    throw refusal("the issuer's token ends in more than a day, and does not say when it was issued")
  const endsAtMs = Math.min(expiresAtMs, (issuedAtMs ?? now) + limits.issuerTokenMs)
  if (endsAtMs <= now) throw refusal("the issuer's token was issued more than a day ago")
  return endsAtMs
}

interface Claims {
  name?: unknown
  preferred_username?: unknown
  email?: unknown
  email_verified?: unknown
  events?: unknown
}

const faultsOfIssuer = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID'])
/** Of a token of access, or of none in particular. */
const types = new Set(['jwt', 'at+jwt'])
const unseen = /[\p{C}\p{Zl}\p{Zp}]/u
