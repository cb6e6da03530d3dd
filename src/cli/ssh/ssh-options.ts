import type { Carrel, Computer, ComputerConnection } from '../../../sdk/index.ts'
import { CarrelApiError } from '../../../sdk/index.ts'
import type { Program } from '../program.ts'
import { SshFolder } from './ssh-folder.ts'

/** Options of OpenSSH by their names. */
export type SshOptions = Record<string, string>

/**
 * Makes a connection to a computer possible: gets a key for some minutes, unless there is one that works. Returns false
 * where the server has no TLS port for SSH: the user's own keys are for the computer's port then.
 */
export async function prepare(program: Program, client: Carrel, { id }: Computer): Promise<boolean> {
  const folder = new SshFolder(program, id)
  if (await folder.isFresh()) return true
  try {
    await folder.save(await client.computers.sshCredentials(id))
    return true
  } catch (error) {
    if (error instanceof CarrelApiError && error.code === 'NOT_SET_UP') return false
    throw error
  }
}

/** Returns the options for the TLS port, with the key of `prepare`. */
export function edgeOptions(program: Program, { id }: Computer, user: string): SshOptions {
  const folder = new SshFolder(program, id)
  return {
    HostName: id,
    User: user,
    ProxyCommand: `${ownCommand()} ssh --proxy ${id}`,
    IdentityFile: quoted(folder.key),
    CertificateFile: quoted(folder.certificate),
    IdentitiesOnly: 'yes',
    ...hostOptions(folder, id),
  }
}

/** Returns the options for the computer's own port, and saves its host key. */
export async function portOptions(
  program: Program,
  { id }: Computer,
  { ssh_host: host, ssh_port: port, ssh_user: user, ssh_host_public_key: publicKey }: ComputerConnection,
): Promise<SshOptions> {
  const folder = new SshFolder(program, id)
  if (host === null || port === null || user === null || publicKey === null)
    throw new Error(
      'Cannot connect by SSH: this server has it off; CARREL_SSH_EDGE_PORT or CARREL_SSH_PORTS turns it on',
    )
  await folder.saveHostKey(id, publicKey)
  return { HostName: host, Port: String(port), User: user, ...hostOptions(folder, id) }
}

/** Returns the command that runs this program again, for a shell. */
export function ownCommand(): string {
  return [process.execPath, process.argv[1]!].map((word) => `'${word.replaceAll('%', '%%')}'`).join(' ')
}

function hostOptions(folder: SshFolder, id: string): SshOptions {
  return { HostKeyAlias: id, UserKnownHostsFile: quoted(folder.knownHosts), StrictHostKeyChecking: 'yes' }
}

function quoted(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`
}
