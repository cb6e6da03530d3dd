import { requireSshServer } from '../../../engine/computers/ssh/has-ssh-server.ts'
import { requireSshAddress } from '../../../engine/computers/ssh/ssh-address.ts'
import type { SessionKind } from './session-kind.ts'

/** Where to connect by SSH. The session's token opens nothing there: keys and certificates do. */
export const sshSession: SessionKind = {
  requireProgram: requireSshServer,
  async entryOf({ engine, computer }) {
    const { host, port, user } = await requireSshAddress(engine, computer)
    const url = `ssh://${user}@${host.includes(':') ? `[${host}]` : host}:${port}`
    return {
      access_url: url,
      connect_url: url,
      transport: { protocol: 'ssh', auth: 'publickey', capabilities: ['shell', 'sftp', 'port-forwarding'] },
      ssh_user: user,
      ssh_host: host,
      ssh_port: port,
      command: `ssh -p ${port} ${user}@${host}`,
    }
  },
}
