import { once } from 'node:events'
import { connect } from 'node:tls'
import type { Program } from '../program.ts'
import { SshFolder } from './ssh-folder.ts'

/**
 * Connects stdin and stdout with the TLS port, as a ProxyCommand of ssh. Resolves when the connection has ended. The
 * certificate of the port is not verified: ssh verifies the computer's key inside.
 */
export async function proxy(program: Program, computerId: string): Promise<number> {
  const edge = await new SshFolder(program, computerId).edge()
  if (!edge)
    throw new Error(
      `Cannot connect to "${computerId}": "${program.name} ssh" or an entry of "ssh-config" prepares that`,
    )
  const { host, port, serverName: servername } = edge
  const socket = connect({ host, port, servername, ALPNProtocols: ['ssh'], rejectUnauthorized: false })
  socket.setNoDelay(true)
  const closed = once(socket, 'close')
  process.stdin.pipe(socket)
  socket.pipe(process.stdout)
  await closed
  return 0
}
