import type { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { limits } from '../config/limits.ts'
import { keepInUse } from '../engine/computers/access/keep-in-use.ts'
import { countConnection } from '../engine/computers/access-sessions/count-connection.ts'
import { whileEntered, type EnteredSession } from '../engine/computers/access-sessions/enter-session.ts'
import type { Engine } from '../engine/engine.ts'
import { asCarrelError, CarrelError } from '../errors.ts'
import type { Admitted } from '../ssh/admission.ts'
import { admit } from './admit.ts'
import { clientHandshake, type Client, type Offer } from './client-handshake.ts'
import { guestGreeting, guestHandshake } from './guest-handshake.ts'
import { relay } from './relay.ts'
import { accepted, refused } from './rfb.ts'

/** Leaves out of what a client sends what would act; throws for what no client sends. */
export interface ViewerFilter {
  take: (bytes: Buffer) => Buffer
}

export interface ViewerParts {
  offer: Offer
  /** Throws `rate_limited` when the network has tried too often. */
  countAttempt: (network: string | undefined) => void
  /** Returns the filter of a client that may look and do nothing else. */
  viewOnlyFilter: () => ViewerFilter
}

/** Serves one connection of a VNC viewer from its first byte to its end. Never rejects. */
export async function serveViewer(
  engine: Engine,
  { socket, admitted, parts }: { socket: Socket; admitted: Admitted; parts: ViewerParts },
): Promise<void> {
  socket.on('error', () => {})
  const login = setTimeout(() => socket.destroy(), limits.vncLoginMs)
  const whileOpen = untilClosed(socket)
  whileOpen(admitted.leave)
  whileOpen(() => clearTimeout(login))
  try {
    const client = await clientHandshake(socket, parts.offer)
    try {
      await showDesktop(engine, { client, socket, admitted, parts, whileOpen })
      clearTimeout(login)
    } catch (error) {
      sayWhy(engine, client.stream, error)
    }
  } catch {
    // A client that speaks something else, or has gone.
    socket.destroySoon()
  }
}

/** Adds what is called once the connection is closed, or at once if it is. */
type WhileOpen = (end: () => void) => void

function untilClosed(socket: Socket): WhileOpen {
  const ends: (() => void)[] = []
  socket.once('close', () => {
    for (const end of ends) end()
  })
  return (end) => void (socket.destroyed ? end() : ends.push(end))
}

/** Tells a client why it gets no desktop, and ends the connection. */
function sayWhy({ log }: Engine, stream: Duplex, error: unknown): void {
  const { code, message } = asCarrelError(error)
  if (code === 'internal') log.error({ err: error }, 'cannot serve a VNC connection')
  stream.end(refused(code === 'internal' ? 'The server failed' : message))
}

interface Viewer {
  client: Client
  socket: Socket
  admitted: Admitted
  parts: ViewerParts
  whileOpen: WhileOpen
}

/** Connects a client to the desktop of its session, for as long as the session lasts. */
async function showDesktop(engine: Engine, { client, socket, admitted, parts, whileOpen }: Viewer): Promise<void> {
  if (engine.server.stopping.aborted) throw new CarrelError('unavailable', 'The server is stopping')
  parts.countAttempt(admitted.network)
  const session = await admit(engine, client)
  const { computer } = session
  whileOpen(whileEntered(engine, session, () => endSoon(client.stream, socket)))
  whileOpen(countViewer(session))
  whileOpen(takeDescriptors(engine, session).release)
  whileOpen(keepInUse(engine, computer))
  admitted.leave()
  const desktop = await engine.desktops.open(engine, computer)
  const connection = await desktop.connect()
  connection.on('error', () => socket.destroy())
  whileOpen(() => connection.destroy())
  const timer = setTimeout(() => connection.destroy(), limits.vncGuestMs)
  await guestHandshake(connection).finally(() => clearTimeout(timer))
  const filter = session.share?.viewOnly ? parts.viewOnlyFilter() : undefined
  filter?.take(guestGreeting)
  client.stream.write(accepted())
  relay({ client: client.stream, guest: connection, filter })
}

/** Ends a connection in order, and at once if its client does not go along. */
function endSoon(stream: Duplex, socket: Socket): void {
  stream.end()
  const timer = setTimeout(() => socket.destroy(), limits.vncEndMs)
  socket.once('close', () => clearTimeout(timer))
}

/** Throws `limit_reached` when the session has too many connections. */
function countViewer(session: EnteredSession): () => void {
  const leave = countConnection(session)
  if (leave) return leave
  throw new CarrelError('limit_reached', 'Cannot open the desktop: the access session has too many connections')
}

/** The socket, and the connection into the computer. */
function takeDescriptors({ budgets: { descriptors } }: Engine, { computer: { id, accountId } }: EnteredSession) {
  return descriptors.take('connect', descriptors.sharesOf({ account: accountId, computer: id }), 2)
}
