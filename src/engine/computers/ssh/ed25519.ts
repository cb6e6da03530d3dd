import { createPrivateKey, createPublicKey, hash, randomBytes, sign, type KeyObject } from 'node:crypto'
import { field, uint32 } from './wire.ts'

/** An Ed25519 key in the forms that SSH needs. */
export class Ed25519Key {
  /** The public key as SSH sends it. */
  readonly blob: Buffer
  readonly #seed: Buffer
  readonly #public: Buffer
  readonly #privateKey: KeyObject

  /** @param seed the 32 bytes that the key is made from */
  constructor(seed: Buffer) {
    this.#seed = seed
    this.#privateKey = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' })
    const der = createPublicKey(this.#privateKey).export({ format: 'der', type: 'spki' })
    this.#public = der.subarray(-keyBytes)
    this.blob = Buffer.concat([field(type), field(this.#public)])
  }

  static generate(): Ed25519Key {
    return new Ed25519Key(randomBytes(keyBytes))
  }

  /** The public key, as a line of `authorized_keys` has it. */
  get line(): string {
    return `${type} ${this.blob.toString('base64')}`
  }

  /** Returns a signature as SSH sends it. */
  sign(data: Buffer): Buffer {
    return Buffer.concat([field(type), field(sign(null, data, this.#privateKey))])
  }

  /** The private key in OpenSSH's own format (PROTOCOL.key), without a passphrase. */
  toOpenSsh(): string {
    // Random elsewhere: it shows whether a passphrase was right. Here the same key is always the same text.
    const check = hash('sha256', this.#seed, 'buffer').subarray(0, 4)
    const pair = [field(type), field(this.#public), field(Buffer.concat([this.#seed, this.#public])), field('')]
    const unpadded = Buffer.concat([check, check, ...pair])
    const padding = Buffer.from(Array.from({ length: -unpadded.length & 7 }, (_, index) => index + 1))
    const content = Buffer.concat([
      Buffer.from('openssh-key-v1\0'),
      field('none'),
      field('none'),
      field(''),
      uint32(1),
      field(this.blob),
      field(Buffer.concat([unpadded, padding])),
    ])
    const lines = content.toString('base64').match(/.{1,70}/g)!
    return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n')
  }
}

const type = 'ssh-ed25519'
const keyBytes = 32
/** What precedes the seed of an Ed25519 key in PKCS #8. */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')
