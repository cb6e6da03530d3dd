import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { SecretRow } from '../../db/schema.ts'
import type { SecretKey } from './secret-key.ts'

type Sealed = Pick<SecretRow, 'name' | 'key_id' | 'nonce' | 'ciphertext'>

/** Encrypts a secret (AES-256-GCM). The row's name is authenticated with it, so that no row passes for another one. */
export function seal(name: string, secret: string, key: SecretKey): Sealed {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv(algorithm, key.bytes, nonce).setAAD(contextOf(name))
  const ciphertext = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return {
    name,
    key_id: key.id,
    nonce: nonce.toString('base64url'),
    ciphertext: ciphertext.toString('base64url'),
  }
}

/** Decrypts a secret. Throws when the row was changed, or was encrypted with another key. */
export function unseal({ name, nonce, ciphertext }: Sealed, key: SecretKey): string {
  const bytes = Buffer.from(ciphertext, 'base64url')
  const decipher = createDecipheriv(algorithm, key.bytes, Buffer.from(nonce, 'base64url'), { authTagLength: tagBytes })
    .setAAD(contextOf(name))
    .setAuthTag(bytes.subarray(-tagBytes))
  return decipher.update(bytes.subarray(0, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
}

/** The number is that of the format; another format gets another number. */
function contextOf(name: string): Buffer {
  return Buffer.from(`carrel secret 1\0${name}`)
}

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16
