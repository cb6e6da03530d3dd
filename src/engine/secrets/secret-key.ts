import { hash } from 'node:crypto'

/** A key that encrypts secrets: 32 random bytes. */
export interface SecretKey {
  /** Tells keys apart without revealing them. */
  id: string
  bytes: Buffer
}

/** Returns a key of these bytes, with the id that every server derives from them. */
export function secretKey(bytes: Buffer): SecretKey {
  const digest = hash('sha256', Buffer.concat([Buffer.from('carrel secret key\0'), bytes]), 'hex')
  return { id: digest.slice(0, idDigits), bytes }
}

/** 64 bits of the hash. */
const idDigits = 16
