import { jwtVerify, SignJWT, type JWK } from 'jose'
import { limits } from '../../config/limits.ts'
import { refusal } from '../accounts/tokens.ts'
import { signingAlgorithm, type SigningKey } from './signing-key.ts'
import { VerifiedJwts } from './verified-jwts.ts'

interface Access {
  /** The sign-in that it came of. */
  familyId: string
  expiresAtMs: number
}

/** Carrel's own JWTs (ES256, an hour). The key alone says that they are its own: its address may change. */
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

  issue(userId: string, familyId: string): Promise<string> {
    return new SignJWT({ sid: familyId })
      .setProtectedHeader({ alg: signingAlgorithm, typ, kid: this.#key.publicJwk.kid! })
      .setIssuer(this.#issuer())
      .setAudience(audience)
      .setSubject(userId)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime(Math.floor((Date.now() + limits.accessTokenMs) / 1000))
      .sign(this.#key.privateKey)
  }

  /** Rejects with `unauthenticated` for one that is not of this key, has expired or is for something else. */
  verify(token: string): Promise<Access> {
    return this.#verified.get(token, async () => {
      const { payload } = await jwtVerify<{ sid: string }>(token, this.#key.publicKey, {
        algorithms: [signingAlgorithm],
        audience,
        typ,
        requiredClaims: ['exp', 'sub', 'sid'],
      }).catch((error: unknown) => {
        throw refusal('the token is not valid, or has expired', error)
      })
      return { familyId: payload.sid, expiresAtMs: payload.exp! * 1000 }
    })
  }
}

const audience = 'carrel'
const typ = 'at+jwt'
