import { randomBytes } from 'node:crypto'
import type { Ed25519Key } from '../ed25519.ts'
import { field, uint32, uint64 } from '../wire.ts'

interface Contents {
  /** The type of the certified key, and the key with its type. */
  key: { type: string; blob: Buffer }
  /** Shown in the log of a server that accepts the certificate. */
  id: string
  principals: readonly string[]
  /** Unix seconds. */
  validFromS: number
  validToS: number
}

/** Returns a user certificate as a line of a `-cert.pub` file (PROTOCOL.certkeys of OpenSSH), with all extensions. */
export function signCertificate(
  authority: Ed25519Key,
  { key, id, principals, validFromS, validToS }: Contents,
): string {
  const type = key.type.endsWith('@openssh.com')
    ? key.type.replace('@', '-cert-v01@')
    : `${key.type}-cert-v01@openssh.com`
  const list = (items: readonly Buffer[]) => field(Buffer.concat(items))
  const unsigned = Buffer.concat([
    field(type),
    field(randomBytes(32)),
    // The fields of the key itself, which follow its type.
    key.blob.subarray(field(key.type).length),
    uint64(0),
    uint32(userCertificate),
    field(id),
    list(principals.map((principal) => field(principal))),
    uint64(validFromS),
    uint64(validToS),
    list([]),
    list(extensions.map((name) => Buffer.concat([field(name), field('')]))),
    field(''),
    field(authority.blob),
  ])
  return `${type} ${Buffer.concat([unsigned, field(authority.sign(unsigned))]).toString('base64')}`
}

const userCertificate = 1
/** In the order of their names, as the format demands. */
const extensions = [
  'permit-X11-forwarding',
  'permit-agent-forwarding',
  'permit-port-forwarding',
  'permit-pty',
  'permit-user-rc',
]
