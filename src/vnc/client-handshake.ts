import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { TLSSocket, type SecureContext } from 'node:tls'
import { limits } from '../config/limits.ts'
import { uint32 } from '../engine/computers/ssh/wire.ts'
import { ByteReader } from './byte-reader.ts'
import { refusedAtOnce, security, version } from './rfb.ts'

/** How clients may send their password, the best first. */
export interface Offer {
  context: SecureContext
  /** Whether a client that has no TLS may send it in the clear. */
  allowsPlain: boolean
}

/** A client that has said who it is. */
export interface Client {
  /** The connection, inside TLS where that was agreed on. */
  stream: Duplex
  user: string
  password: string
}

/**
 * Speaks RFB 3.8 with a client until it has sent a user and a password, by VeNCrypt. Rejects when the client speaks
 * anything else.
 */
export async function clientHandshake(socket: Socket, offer: Offer): Promise<Client> {
  const stream = await greet(socket, offer)
  return { stream, ...(await readPlain(new ByteReader(stream))) }
}

/** Agrees on how the password is sent, which takes no user and is done at once; returns the connection for it. */
async function greet(socket: Socket, offer: Offer): Promise<Duplex> {
  const timer = setTimeout(() => socket.destroy(), limits.sshHelloMs)
  try {
    const reader = new ByteReader(socket)
    socket.write(version)
    if (!isKnown((await reader.take(version.length)).toString('latin1'))) {
      socket.end(refusedAtOnce('The client is too old: this server speaks RFB 3.8'))
      throw new Error('the client has another version')
    }
    socket.write(Buffer.of(1, security.veNCrypt))
    if ((await reader.uint8()) !== security.veNCrypt) throw new Error('the client chose another kind of security')
    const chosen = await chooseKind(reader, socket, offer)
    return chosen === security.x509Plain ? await secured(socket, offer.context) : socket
  } finally {
    clearTimeout(timer)
  }
}

/** Clients name 3.8 or, as Apple's does, a later version, which means the same. */
function isKnown(named: string): boolean {
  const [, minor] = /^RFB 003\.(\d{3})\n$/.exec(named) ?? []
  return Number(minor) >= 8
}

async function chooseKind(reader: ByteReader, socket: Socket, { allowsPlain }: Offer): Promise<number> {
  socket.write(Buffer.of(0, 2))
  const [major, minor] = await reader.take(2)
  if (major !== 0 || minor !== 2) {
    socket.end(Buffer.of(1))
    throw new Error('the client has another version of VeNCrypt')
  }
  const kinds = allowsPlain ? [security.x509Plain, security.plain] : [security.x509Plain]
  socket.write(Buffer.concat([Buffer.of(0, kinds.length), ...kinds.map(uint32)]))
  const chosen = await reader.uint32()
  if (!kinds.some((kind) => kind === chosen)) {
    socket.end(Buffer.of(0))
    throw new Error('the client chose a kind that was not offered')
  }
  if (chosen === security.x509Plain) socket.write(Buffer.of(1))
  return chosen
}

/** Continues inside TLS. */
async function secured(socket: Socket, secureContext: SecureContext): Promise<TLSSocket> {
  const tls = new TLSSocket(socket, { isServer: true, secureContext })
  tls.on('error', () => socket.destroy())
  socket.once('close', () => tls.destroy(new Error('the connection ended')))
  await once(tls, 'secure')
  return tls
}

async function readPlain(reader: ByteReader): Promise<{ user: string; password: string }> {
  const [userBytes, passwordBytes] = [await reader.uint32(), await reader.uint32()]
  const user = await reader.text(userBytes, limits.vncNameBytes)
  return { user, password: await reader.text(passwordBytes, limits.vncNameBytes) }
}
