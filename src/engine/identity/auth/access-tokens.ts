import { jwtVerify, SignJWT, type JWK } from 'jose'
import { limits } from '../../../config/limits.ts'
import { unauthenticated } from '../accounts/tokens.ts'
import { signingAlgorithm, type SigningKey } from './signing-key.ts'
import { VerifiedJwts } from './verified-jwts.ts'

interface Access {
  /** The token family, which is one sign-in. */
  familyId: string
  expiresAtMs: number
}

interface Refresh {
  /** The token family, which is one sign-in. */
  familyId: string
  id: string
  /** The hash of the id of the refresh token that this one was issued for; undefined for the first of a sign-in. */
  replaces: string | undefined
  /** To the second. */
  issuedAtMs: number
}

/**
 * Carrel's own JWTs (ES256): access tokens that last an hour, and the refresh tokens that renew them. Only the signing
 * key makes a token the server's own, since the server's address can change.
 */
export class AccessTokens {
  readonly #key: SigningKey
  readonly #issuer: () => string
  readonly #verified = new VerifiedJwts<Access>()

  constructor(key: SigningKey, issuer: () => string) {
    this.#key = key
    this.#issuer = issuer
  }

  get publicKeys(): { keys: JWK[] } {
    return { keys: [this.#key.publicJwk] }
  }

  /** The encoded headers of all JWTs of this key. */
  get headers(): string[] {
    return [access, refresh].map(({ typ }) => Buffer.from(JSON.stringify(this.#headerOf(typ))).toString('base64url'))
  }

  #headerOf(typ: string) {
    return { alg: signingAlgorithm, typ, kid: this.#key.publicJwk.kid! }
  }

  /** Issues an access token. */
  issue(userId: string, familyId: string): Promise<string> {
    return this.#sign(access, {
      userId,
      familyId,
      id: crypto.randomUUID(),
      endsAtMs: Date.now() + limits.accessTokenMs,
    })
  }

  /** Issues a refresh token. `verifyRefresh` returns its `id` and `replaces`. */
  issueRefresh(
    userId: string,
    familyId: string,
    { id, replaces, endsAtMs }: { id: string; replaces?: string | undefined; endsAtMs: number },
  ): Promise<string> {
    return this.#sign(refresh, { userId, familyId, id, replaces, endsAtMs })
  }

  #sign({ typ, audience }: Kind, claims: NewClaims) {
    const { familyId, replaces } = claims
    return new SignJWT({ sid: familyId, ...(replaces === undefined ? {} : { replaces }) })
      .setProtectedHeader(this.#headerOf(typ))
      .setIssuer(this.#issuer())
      .setAudience(audience)
      .setSubject(claims.userId)
      .setJti(claims.id)
      .setIssuedAt()
      .setExpirationTime(Math.floor(claims.endsAtMs / 1000))
      .sign(this.#key.privateKey)
  }

  /**
   * Verifies an access token. Throws `unauthenticated` when it is not of this key, has expired or is of another kind.
   */
  verify(token: string): Promise<Access> {
    return this.#verified.get(token, async () => {
      const { sid, exp } = await this.#claimsOf(token, access)
      const expiresAtMs = exp * 1000
      return { claims: { familyId: sid, expiresAtMs }, untilMs: expiresAtMs }
    })
  }

  /** Returns what `issueRefresh` was given, and when. Throws `unauthenticated` as `verify` does. */
  async verifyRefresh(token: string): Promise<Refresh> {
    const { sid, jti, replaces, iat } = await this.#claimsOf(token, refresh)
    return { familyId: sid, id: jti, replaces, issuedAtMs: iat * 1000 }
  }

  async #claimsOf(token: string, { typ, audience }: Kind): Promise<Claims> {
    try {
      const { payload } = await jwtVerify<Claims>(token, this.#key.publicKey, {
        algorithms: [signingAlgorithm],
        audience,
        typ,
        requiredClaims: ['iat', 'exp', 'sub', 'sid', 'jti'],
      })
      return payload
    } catch (error) {
      throw unauthenticated('the token is not valid, or has expired', error)
    }
  }
}

interface NewClaims {
  userId: string
  familyId: string
  id: string
  replaces?: string | undefined
  endsAtMs: number
}

interface Claims {
  sid: string
  jti: string
  iat: number
  exp: number
  replaces?: string
}

/** A kind of token; neither kind is accepted in place of the other. */
interface Kind {
  typ: string
  audience: string
}

const access: Kind = { typ: 'at+jwt', audience: 'carrel' }
const refresh: Kind = { typ: 'rt+jwt', audience: 'carrel:refresh' }
