import { jwtVerify, SignJWT, type JWK } from 'jose'
import { limits } from '../../../config/limits.ts'
import { refusal } from '../accounts/tokens.ts'
import { signingAlgorithm, type SigningKey } from './signing-key.ts'
import { VerifiedJwts } from './verified-jwts.ts'

interface Access {
  /** The sign-in that it came of. */
  familyId: string
  expiresAtMs: number
}

interface Refresh {
  /** The sign-in that it is of. */
  familyId: string
  id: string
  /** The hash of the id of the one that it was given for; undefined for the first of a sign-in. */
  replaces: string | undefined
  /** To the second. */
  givenAtMs: number
}

/**
 * Carrel's own JWTs (ES256): access tokens for an hour, and the refresh tokens that give the next ones. The key alone says that they are
 * its own: its address may change.
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

  /** The first parts of all JWTs of this key, as they stand in them. */
  get heads(): string[] {
    return [access, refresh].map(({ typ }) => Buffer.from(JSON.stringify(this.#headerOf(typ))).toString('base64url'))
  }

  #headerOf(typ: string) {
    return { alg: signingAlgorithm, typ, kid: this.#key.publicJwk.kid! }
  }

  issue(userId: string, familyId: string): Promise<string> {
    return this.#sign(access, {
      userId,
      familyId,
      id: crypto.randomUUID(),
      endsAtMs: Date.now() + limits.accessTokenMs,
    })
  }

  /** A refresh token. `id` and `replaces` are what `verifyRefresh` tells of it. */
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

  /** Rejects with `unauthenticated` for one that is not of this key, has expired or is for something else. */
  verify(token: string): Promise<Access> {
    return this.#verified.get(token, async () => {
      const { sid, exp } = await this.#claimsOf(token, access)
      const expiresAtMs = exp * 1000
      return { claims: { familyId: sid, expiresAtMs }, untilMs: expiresAtMs }
    })
  }

  /** What `issueRefresh` was given, and when. Rejects with `unauthenticated` as `verify` does. */
  async verifyRefresh(token: string): Promise<Refresh> {
    const { sid, jti, replaces, iat } = await this.#claimsOf(token, refresh)
    return { familyId: sid, id: jti, replaces, givenAtMs: iat * 1000 }
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
      throw refusal('the token is not valid, or has expired', error)
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

/** Neither of the two does for the other. */
interface Kind {
  typ: string
  audience: string
}

const access: Kind = { typ: 'at+jwt', audience: 'carrel' }
const refresh: Kind = { typ: 'rt+jwt', audience: 'carrel:refresh' }
