import { serverFilesPath, type ShownFiles } from '../../../drivers/driver.ts'
import type { Context } from '../../context.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { environment } from '../processes/environment.ts'
import { validCertificates, validKeys } from './authorized.ts'
import type { Ssh } from './ssh.ts'

/** The files of a computer's SSH server, as they are inside. */
export const sshdConfig = `${serverFilesPath}/sshd_config`

/** Returns the files of a computer's SSH server: its configuration, its key, and who may connect now. */
export async function serverFiles(
  engine: Pick<Context, 'db'> & { ssh: Ssh },
  { id, accountId, row, image }: AccessibleComputer<'run'>,
): Promise<ShownFiles> {
  const keys = await validKeys(engine, accountId)
  const certificates = await validCertificates(engine, row)
  const lines = [...keys.map(({ public_key }) => public_key), ...(row.authorized_keys?.split('\n') ?? [])]
  const secret = 0o600
  // The server reads who may connect as the user who wants to.
  const readable = 0o644
  return {
    sshd_config: { content: configuration(environment(image.env, undefined)), mode: secret },
    ssh_host_key: { content: engine.ssh.hostKey(id).toOpenSsh(), mode: secret },
    ssh_authority: { content: `${engine.ssh.userAuthority.line}\n`, mode: secret },
    ssh_keys: { content: linesOf(lines), mode: readable },
    // A certificate opens the computer if it has one of these principals, which are the ids of valid certificates.
    ssh_principals: { content: linesOf(certificates), mode: readable },
  }
}

function linesOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

function configuration(env: Record<string, string>): string {
  const variables = Object.entries(env)
    .filter(([name, value]) => /^\w+$/.test(name) && !/\p{Cc}/u.test(value))
    .map(([name, value]) => `"${`${name}=${value}`.replaceAll(/["\\]/g, String.raw`\$&`)}"`)
  return `# Written by the server for each connection.
HostKey ${serverFilesPath}/ssh_host_key
AuthorizedKeysFile ${serverFilesPath}/ssh_keys .ssh/authorized_keys
TrustedUserCAKeys ${serverFilesPath}/ssh_authority
AuthorizedPrincipalsFile ${serverFilesPath}/ssh_principals
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM yes
UseDNS no
LoginGraceTime 30
MaxAuthTries 12
MaxSessions 64
ClientAliveInterval 60
ClientAliveCountMax 3
AllowAgentForwarding yes
AllowTcpForwarding yes
AllowStreamLocalForwarding yes
X11Forwarding no
PermitTunnel no
PrintMotd no
PrintLastLog no
PidFile none
LogLevel INFO
AcceptEnv LANG LC_* COLORTERM
Subsystem sftp internal-sftp
${variables.length > 0 ? `SetEnv ${variables.join(' ')}\n` : ''}`
}
