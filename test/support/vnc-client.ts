import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type SecureVersion } from 'node:tls'
import { ByteReader } from '../../src/vnc/byte-reader.ts'

/** Kinds of VeNCrypt. */
export const plain = 256
export const x509Plain = 262

interface Login {
  user: string
  password: string
  /** The kind that is chosen, by default the first that is offered. */
  kind?: number
  /** The newest version of TLS that the viewer has. */
  maxVersion?: SecureVersion
}

/** What became of a login. */
export interface LoggedIn {
  offered: number[]
  /** The connection, inside TLS where that was chosen. */
  stream: Duplex
  /** Why the server refused; undefined when it did not. */
  refusal: string | undefined
  /** What the other side's certificate says of itself; undefined without TLS. */
  subject: string | undefined
}

/** Logs in as a VNC viewer does that knows VeNCrypt and passwords with user names. */
export async function vncLogin(port: number, { user, password, kind, maxVersion }: Login): Promise<LoggedIn> {
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  const { offered, reader } = await greet(socket)
  const chosen = kind ?? offered[0]!
  socket.write(uint32(chosen))
  let stream: Duplex = socket
  let subject: string | undefined
  if (chosen === x509Plain) {
    if ((await reader.uint8()) !== 1) throw new Error('the server refuses TLS')
    const tls = connectTls({ socket, rejectUnauthorized: false, ...(maxVersion ? { maxVersion } : {}) })
    await once(tls, 'secureConnect')
    subject = String(tls.getPeerCertificate().subject.CN)
    stream = tls
  }
  stream.on('error', () => {})
  stream.write(Buffer.concat([uint32(byteLength(user)), uint32(byteLength(password)), Buffer.from(user + password)]))
  const inside = new ByteReader(stream)
  const refused = (await inside.uint32()) !== 0
  const refusal = refused ? await inside.text(await inside.uint32(), 1000) : undefined
  return { offered, stream, refusal, subject }
}

/** Speaks RFB and VeNCrypt until the server has named its kinds. */
async function greet(socket: Socket): Promise<{ offered: number[]; reader: ByteReader }> {
  socket.on('error', () => {})
  const reader = new ByteReader(socket)
  const version = await reader.take(12)
  socket.write(version)
  const securities = await reader.take(await reader.uint8())
  if (!securities.equals(Buffer.of(veNCrypt))) throw new Error(`other kinds of security: ${securities.toString('hex')}`)
  socket.write(Buffer.of(veNCrypt))
  if (!(await reader.take(2)).equals(Buffer.of(0, 2))) throw new Error('another version of VeNCrypt')
  socket.write(Buffer.of(0, 2))
  if ((await reader.uint8()) !== 0) throw new Error('the server refuses the version')
  const offered: number[] = []
  for (let left = await reader.uint8(); left > 0; left--) offered.push(await reader.uint32())
  return { offered, reader }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function byteLength(text: string): number {
  return Buffer.byteLength(text)
}

const veNCrypt = 19
