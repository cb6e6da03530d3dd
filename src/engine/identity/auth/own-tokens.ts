import type { AccessTokens } from './access-tokens.ts'
import type { TrustedIssuers } from './trusted-issuers.ts'

/**
 * Knows the credentials that Carrel itself takes from those of others, by what they look like: whether one is still good is not asked.
 * For what must not be handed on to a guest, whose own tokens have to pass.
 */
export class OwnTokens {
  /** How the JWTs of this server's key begin: their heads are always the same. */
  readonly #heads: string[]
  readonly #issuers: TrustedIssuers

  constructor(accessTokens: AccessTokens, issuers: TrustedIssuers) {
    this.#heads = accessTokens.heads.map((head) => `${head}.`)
    this.#issuers = issuers
  }

  /** Whether there is one anywhere in a text, which may be percent-encoded, once more by each program that it came through. */
  isIn(text: string): boolean {
    let form = text
    for (let encoded = 0; encoded <= maxEncodings; encoded++) {
      if (mayHold.test(form) && this.#isPlainIn(form)) return true
      if (!form.includes('%')) return false
      form = decoded(form)
    }
    return false
  }

  #isPlainIn(text: string): boolean {
    if (secrets.test(text) || this.#heads.some((head) => text.includes(head))) return true
    if (!this.#issuers.areAny) return false
    return text.match(jwts)?.some((jwt) => this.#issuers.isForUs(jwt)) ?? false
  }
}

/** Cheap, as it is asked of each header of each request. */
const mayHold = /pp_|ak_|eyJ/
/** An API key's first letters are too common to go by alone. */
const secrets = /pp_(?:sess|ws)_[\w-]|(?<![\w-])ak_[\w-]{43}(?![\w-])/
/** Begins only where a word does, so that its time does not grow with the square of the text. */
const jwts = /(?<![\w-])eyJ[\w-]*\.[\w-]+\.[\w-]+/g

/** Tokens are ASCII; what is no encoding stays as it is. */
function decoded(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

const maxEncodings = 3
