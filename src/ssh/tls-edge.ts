import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { limits } from '../config/limits.ts'
import { SettingError } from '../config/settings.ts'
import type { Engine } from '../engine/engine.ts'
import type { Admission, Admitted } from './admission.ts'
import { edgeCertificate } from './edge-certificate.ts'

type Accept = (socket: TLSSocket, computerId: string, admitted: Admitted) => void

/** Opens the TLS port, which leads to the computer that a client names in its handshake (SNI). */
export async function openTlsEdge(engine: Engine, admission: Admission, accept: Accept): Promise<Server | undefined> {
  const { settings } = engine
  if (settings.sshEdgePort === undefined) return undefined
  /** By the other end, as the sockets of TLS are others than those that were accepted. */
  const byPeer = new Map<string, Admitted>()
  const pem = await edgeCertificate(engine)
  const server = createServer({
    cert: pem,
    key: pem,
    ALPNProtocols: ['ssh'],
    handshakeTimeout: limits.sshHelloMs,
    noDelay: true,
  })
  // A connection counts before its handshake, which costs the most.
  server.prependListener('connection', (socket: Socket) => {
    const admitted = admission.admit(socket.remoteAddress)
    if (!admitted) return socket.destroy()
    const peer = peerOf(socket)
    byPeer.set(peer, admitted)
    socket.once('close', () => {
      byPeer.delete(peer)
      admitted.leave()
    })
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  server.on('secureConnection', (socket) => {
    const computerId = computerOf(String(socket.servername || ''), settings.sshSuffix)
    const admitted = byPeer.get(peerOf(socket))
    if (computerId === undefined || !admitted) return void socket.destroy()
    accept(socket, computerId, admitted)
  })
  await listen(server, engine)
  return server
}

function peerOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`
}

/** Returns the computer that a name leads to: the one label before the suffix. */
function computerOf(serverName: string, suffix: string): string | undefined {
  const name = serverName.toLowerCase()
  const id = name.endsWith(`.${suffix}`) ? name.slice(0, -suffix.length - 1) : ''
  return /^[a-z0-9]{1,64}$/.test(id) ? id : undefined
}

async function listen(server: Server, { settings }: Engine): Promise<void> {
  const { sshEdgePort: port, host } = settings
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new SettingError(
      `Cannot start: port ${port} on ${host} cannot be used for SSH (${(error as NodeJS.ErrnoException).code}); set CARREL_SSH_EDGE_PORT to a free one`,
    )
  }
  const address = server.address()
  if (address && typeof address === 'object') settings.sshEdgePort = address.port
}
