import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose'

export interface SigningKey {
  privateKey: CryptoKey
  publicKey: CryptoKey
  /** For verification by others: with `kid`, `alg` and `use`, and nothing secret. */
  publicJwk: JWK
}

export const signingAlgorithm = 'ES256'

/** Returns the signing key of a JWK, which is JSON. */
export async function importSigningKey(text: string): Promise<SigningKey> {
  const jwk = JSON.parse(text) as JWK
  const { kty, crv, x, y } = jwk
  const bare = { kty, crv, x, y } as JWK
  const publicJwk = { ...bare, kid: await calculateJwkThumbprint(bare), alg: signingAlgorithm, use: 'sig' }
  return {
    privateKey: (await importJWK(jwk, signingAlgorithm)) as CryptoKey,
    publicKey: (await importJWK(bare, signingAlgorithm)) as CryptoKey,
    publicJwk,
  }
}

/** Returns a new signing key, as a JWK. */
export async function createSigningKey(): Promise<string> {
  const { privateKey } = await generateKeyPair(signingAlgorithm, { extractable: true })
  return JSON.stringify(await exportJWK(privateKey))
}
