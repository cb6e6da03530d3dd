import type { AccessTokens } from './access-tokens.ts'
import type { TrustedIssuers } from './trusted-issuers.ts'

/**
 * Recognizes Carrel's own credentials by their form; whether they are still valid does not matter. Used to keep them
 * from guests, while the guests' own tokens pass.
 */
export class OwnTokens {
  /** How the JWTs of this server's key begin: their encoded headers are constant. */
  readonly #jwtPrefixes: string[]
  readonly #issuers: TrustedIssuers

  constructor(accessTokens: AccessTokens, issuers: TrustedIssuers) {
    this.#jwtPrefixes = accessTokens.headers.map((header) => `${header}.`)
    this.#issuers = issuers
  }

  /** Returns whether a text holds such a credential, also percent-encoded up to three times by programs on the way. */
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
    if (secrets.test(text) || this.#jwtPrefixes.some((prefix) => text.includes(prefix))) return true
    if (!this.#issuers.hasAny) return false
    return text.match(jwts)?.some((jwt) => this.#issuers.isForUs(jwt)) ?? false
  }
}

/** A cheap test, since it runs for each header of each request. */
const mayHold = /pp_|ak_|eyJ/
/** The prefix of an API key alone is too common. */
const secrets = /pp_(?:sess|ws|access)_[\w-]|(?<![\w-])ak_[\w-]{43}(?![\w-])/
/** Matches at the beginning of a word only, so that the time does not grow with the square of the length. */
const jwts = /(?<![\w-])eyJ[\w-]*\.[\w-]+\.[\w-]+/g

/** Decodes percent-encoded ASCII, which tokens consist of; anything else stays as it is. */
function decoded(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

const maxEncodings = 3
