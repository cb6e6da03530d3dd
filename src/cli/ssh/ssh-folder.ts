import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { SshCredentials } from '../../../sdk/index.ts'
import { configPaths } from '../config-file.ts'
import type { Program } from '../program.ts'

/** Where to connect by TLS, as `ssh --proxy` reads it. */
export interface Edge {
  host: string
  port: number
  serverName: string
  expiresAt: string
}

/** The files with which `ssh` connects to one computer: `~/.carrel/ssh/<id>`, readable by the user alone. */
export class SshFolder {
  readonly path: string

  constructor(program: Program, computerId: string) {
    this.path = join(dirname(configPaths(program)[0]), 'ssh', computerId)
  }

  get key(): string {
    return join(this.path, 'key')
  }
  get certificate(): string {
    return join(this.path, 'key-cert.pub')
  }
  get knownHosts(): string {
    return join(this.path, 'known_hosts')
  }

  /** Returns where to connect; undefined when nothing was written yet. */
  async edge(): Promise<Edge | undefined> {
    try {
      return JSON.parse(await readFile(join(this.path, 'edge.json'), 'utf8')) as Edge
    } catch {
      return undefined
    }
  }

  /** Returns whether the key still works for long enough to connect. */
  async isFresh(): Promise<boolean> {
    const edge = await this.edge()
    return edge !== undefined && Date.parse(edge.expiresAt) - Date.now() > minLeftMs
  }

  /** Writes the host key of the computer alone, for a connection with the user's own keys. */
  async saveHostKey(computerId: string, publicKey: string): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 })
    await this.#write('known_hosts', `${computerId} ${publicKey}\n`)
  }

  /** Writes everything; the file that says that it is fresh comes last. */
  async save(credentials: SshCredentials): Promise<void> {
    await this.saveHostKey(credentials.computer_id, credentials.guest_host_public_key)
    await this.#write('key', credentials.client_private_key)
    await this.#write('key.pub', `${credentials.client_public_key}\n`)
    await this.#write('key-cert.pub', `${credentials.client_certificate}\n`)
    const { edge_host: host, edge_port: port, sni: serverName, expires_at: expiresAt } = credentials
    await this.#write('edge.json', JSON.stringify({ host, port, serverName, expiresAt } satisfies Edge))
  }

  async #write(name: string, content: string): Promise<void> {
    const path = join(this.path, name)
    const next = `${path}.${randomUUID()}`
    await writeFile(next, content, { mode: 0o600 })
    await rename(next, path)
  }
}

/** Several connections share a key, so that a tool that opens many asks for one. */
const minLeftMs = 5 * 60 * 1000
