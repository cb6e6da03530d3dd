import { hkdfSync, randomBytes } from 'node:crypto'
import type { Secrets } from '../../secrets/secrets.ts'
import { makeCertificate } from './make-certificate.ts'
import { Ed25519Key } from './ed25519.ts'
import { SshConnections } from './ssh-connections.ts'

/** What the server keeps for SSH: the authority that signs certificates, the keys of computers, and connections. */
export class Ssh {
  /** Signs the certificates with which users connect. */
  readonly userAuthority: Ed25519Key
  readonly connections = new SshConnections()
  /** Called when a computer has a TCP port, which is open when this resolves, and when it has none any more. */
  onPort: (computerId: string, port: number | undefined) => Promise<void> = async () => {}
  readonly #hostSecret: Buffer

  private constructor(secrets: Pick<Secrets, 'get'>, userAuthority: Ed25519Key, hostSecret: Buffer) {
    this.userAuthority = userAuthority
    this.#hostSecret = hostSecret
    this.edgeCertificate = () => secrets.get('ssh-edge-certificate', async () => makeCertificate('carrel-ssh'))
  }

  /** What the TLS edge shows where no certificate is configured: made once, for all servers of the database. */
  readonly edgeCertificate: () => Promise<string>

  static async open(secrets: Pick<Secrets, 'get'>): Promise<Ssh> {
    const seed = async () => randomBytes(32).toString('base64url')
    const authority = Buffer.from(await secrets.get('ssh-user-authority', seed), 'base64url')
    const hostSecret = Buffer.from(await secrets.get('ssh-host-secret', seed), 'base64url')
    return new Ssh(secrets, new Ed25519Key(authority), hostSecret)
  }

  /**
   * Returns the host key of a computer, which follows from its id and a secret of the server: it stays the same
   * wherever the computer runs, and a copy of the computer gets another one.
   */
  hostKey(computerId: string): Ed25519Key {
    const seed = hkdfSync('sha256', this.#hostSecret, '', `ssh host key of ${computerId}`, 32)
    return new Ed25519Key(Buffer.from(seed))
  }
}
