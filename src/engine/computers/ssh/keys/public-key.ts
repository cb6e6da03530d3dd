import { createHash } from 'node:crypto'
import { CarrelError } from '../../../../errors.ts'
import { readFields } from '../wire.ts'

/** A public key, as a line of `authorized_keys` has it. */
export interface PublicKey {
  type: string
  /** The key with its type, as SSH sends it. */
  blob: Buffer
  /** What follows the key; '' for nothing. */
  comment: string
}

/**
 * Returns the public key in a text such as the content of `id_ed25519.pub`. Throws `invalid_request`, with the reason,
 * for a text that is not exactly one key of a type that is still considered secure.
 *
 * @param fieldName the field of the request that has the text
 */
export function parsePublicKey(text: string, fieldName = 'public_key'): PublicKey {
  const refusal = (reason: string) =>
    new CarrelError('invalid_request', `Cannot use field "${fieldName}": ${reason}`, { details: { field: fieldName } })
  if (text.includes('PRIVATE KEY'))
    throw refusal('it is a private key; send the content of the .pub file, and replace this key if it was shared')
  const line = text.trim()
  if (/[\r\n]/.test(line)) throw refusal('it has several lines; send one key at a time')
  const [, type = '', base64 = '', comment = ''] = /^(\S+)[ \t]+([A-Za-z0-9+/]+={0,2})(?:[ \t]+(.*))?$/.exec(line) ?? []
  if (type.includes('-cert-v01@')) throw refusal('it is a certificate; send the key that it certifies')
  const check = checks[type]
  if (!check) throw refusal(`it does not begin with a type of key: ${Object.keys(checks).join(', ')}`)
  const blob = Buffer.from(base64, 'base64')
  const fields = readFields(blob)
  if (!fields || fields[0]?.toString('latin1') !== type) throw refusal('it is damaged or incomplete')
  const reason = check(fields.slice(1))
  if (reason !== undefined) throw refusal(reason)
  return { type, blob, comment }
}

/** Returns the fingerprint that `ssh-keygen -l` shows. */
export function fingerprintOf({ blob }: Pick<PublicKey, 'blob'>): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

/** Returns the key as one line without its comment. */
export function lineOf({ type, blob }: Pick<PublicKey, 'type' | 'blob'>): string {
  return `${type} ${blob.toString('base64')}`
}

/** By type: returns why the fields after the type are not such a key; undefined when they are. */
const checks: Record<string, (fields: Buffer[]) => string | undefined> = {
  'ssh-ed25519': ([key, ...rest]) => (key?.length === 32 && rest.length === 0 ? undefined : damaged),
  'ecdsa-sha2-nistp256': (fields) => checkPoint(fields, 'nistp256', 65),
  'ecdsa-sha2-nistp384': (fields) => checkPoint(fields, 'nistp384', 97),
  'ecdsa-sha2-nistp521': (fields) => checkPoint(fields, 'nistp521', 133),
  'ssh-rsa': checkRsa,
  'sk-ssh-ed25519@openssh.com': ([key, application, ...rest]) =>
    key?.length === 32 && application && rest.length === 0 ? undefined : damaged,
  'sk-ecdsa-sha2-nistp256@openssh.com': ([curve, point, application, ...rest]) =>
    curve && point && application && rest.length === 0 ? checkPoint([curve, point], 'nistp256', 65) : damaged,
}

function checkPoint([curve, point, ...rest]: Buffer[], name: string, bytes: number): string | undefined {
  const isPoint = curve?.toString('latin1') === name && point?.length === bytes && point[0] === 4 && rest.length === 0
  return isPoint ? undefined : damaged
}

function checkRsa([exponent, modulus, ...rest]: Buffer[]): string | undefined {
  if (!exponent?.length || !modulus?.length || rest.length > 0) return damaged
  const first = modulus.findIndex((byte) => byte !== 0)
  if (first === -1) return damaged
  const bits = (modulus.length - first) * 8 - Math.clz32(modulus[first]!) + 24
  if (bits < minRsaBits) return `it is an RSA key of ${bits} bits, and needs at least ${minRsaBits}`
  return bits > maxRsaBits ? `it is an RSA key of ${bits} bits, more than OpenSSH accepts` : undefined
}

const damaged = 'it is damaged or incomplete'
const minRsaBits = 2048
const maxRsaBits = 16_384
