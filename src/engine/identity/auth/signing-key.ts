import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose'

export interface SigningKey {
  privateKey: CryptoKey
  publicKey: CryptoKey
  /** For verification by others: with `kid`, `alg` and `use`, and nothing secret. */
  publicJwk: JWK
}

export const signingAlgorithm = 'ES256'

/** Returns the signing key from its file in the data directory (mode 0600). Creates it when it is missing. */
export async function openSigningKey(dataDirectory: string): Promise<SigningKey> {
  const file = join(dataDirectory, 'signing-key.json')
  const kept = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  const jwk = kept === undefined ? await createKey(file) : (JSON.parse(kept) as JWK)
  const { kty, crv, x, y } = jwk
  const bare = { kty, crv, x, y } as JWK
  const publicJwk = { ...bare, kid: await calculateJwkThumbprint(bare), alg: signingAlgorithm, use: 'sig' }
  return {
    privateKey: (await importJWK(jwk, signingAlgorithm)) as CryptoKey,
    publicKey: (await importJWK(bare, signingAlgorithm)) as CryptoKey,
    publicJwk,
  }
}

async function createKey(file: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(signingAlgorithm, { extractable: true })
  const jwk = await exportJWK(privateKey)
  await writeFile(`${file}.new`, `${JSON.stringify(jwk)}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
  return jwk
}
