import { randomBytes } from 'node:crypto'
import type { ShareRow } from '../../../db/schema.ts'
import { seal, unseal } from '../../secrets/seal.ts'
import { secretKey, type SecretKey } from '../../secrets/secret-key.ts'
import type { Secrets } from '../../secrets/secrets.ts'

/** Encrypts the tokens of links for the list of shares, with a key that all servers of the database have. */
export class ShareLinks {
  readonly #key: SecretKey

  private constructor(key: SecretKey) {
    this.#key = key
  }

  static async open(secrets: Pick<Secrets, 'get'>): Promise<ShareLinks> {
    const kept = await secrets.get('share-link-key', async () => randomBytes(32).toString('base64url'))
    return new ShareLinks(secretKey(Buffer.from(kept, 'base64url')))
  }

  /** Returns the token of a share as it is stored. */
  seal(id: string, token: string): string {
    const { nonce, ciphertext } = seal(nameOf(id), token, this.#key)
    return `${nonce}.${ciphertext}`
  }

  /** Returns the token of a share; null when it was encrypted with a key that is lost. */
  tokenOf({ id, sealed_token }: Pick<ShareRow, 'id' | 'sealed_token'>): string | null {
    const [nonce = '', ciphertext = ''] = sealed_token.split('.')
    try {
      return unseal({ name: nameOf(id), key_id: this.#key.id, nonce, ciphertext }, this.#key)
    } catch {
      return null
    }
  }
}

/** Authenticated with the token, so that no row shows the link of another. */
function nameOf(id: string): string {
  return `share ${id}`
}
