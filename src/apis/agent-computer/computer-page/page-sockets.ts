import { limits } from '../../../config/limits.ts'
import { keepInUse } from '../../../engine/computers/access/keep-in-use.ts'
import type { Engine } from '../../../engine/engine.ts'
import { asCarrelError, CarrelError } from '../../../errors.ts'
import type { App } from '../../../http/app.ts'
import { logFailure } from '../../../http/log-failure.ts'
import type { ClientSocket } from '../../../http/sockets/client-socket.ts'
import type { SocketCaller } from '../../../http/sockets/socket-endpoint.ts'
import { envelope } from '../errors.ts'
import { closeCodes, openFor, visitOf, type PageSocket, type PageVisit } from './page-visit.ts'

interface Opening {
  params: SocketCaller['params']
  query: URLSearchParams
}

/** What a WebSocket of the page does. */
interface Endpoint extends Pick<PageSocket, 'part' | 'maxMessageBytes'> {
  path: string
  /** Serves a client until it is served or has left. A rejection is told to the client. */
  open: (socket: ClientSocket, visit: PageVisit, opening: Opening) => Promise<void>
}

/** By the id of a session or a share. */
const openSockets = new Map<string, number>()

/** Adds a WebSocket of the page. While it is open, its computer is in use. */
export function addPageSocket(app: App, engine: Engine, { path, part, maxMessageBytes, open }: Endpoint): void {
  const socket: PageSocket = {
    part,
    maxMessageBytes,
    open: (client, { params, request }) => {
      const visit = visitOf(request)
      client.on('error', () => client.terminate())
      const leave = enter(visit.session)
      if (!leave) return client.close(closeCodes.limit, 'the access session has too many WebSockets')
      client.once('close', leave)
      client.once('close', keepInUse(engine, visit.session.computer))
      const query = new URL(request.url ?? '/', 'http://page').searchParams
      void open(client, visit, { params, query }).catch((error: unknown) => fail(engine, client, error))
    },
  }
  app.get(path, { config: { ...openFor(engine, part), socket } }, () => {
    throw new CarrelError('upgrade_required', `Cannot answer GET ${path}: it is a WebSocket`)
  })
}

/** Counts a WebSocket of a session, and of its share; returns undefined when either has too many. */
function enter({ id, share }: PageVisit['session']): (() => void) | undefined {
  const counted = new Map<string, number>([[id, limits.socketsPerSession]])
  if (share) counted.set(share.id, limits.socketsPerShare)
  for (const [key, limit] of counted) if ((openSockets.get(key) ?? 0) >= limit) return undefined
  for (const key of counted.keys()) openSockets.set(key, (openSockets.get(key) ?? 0) + 1)
  return () => {
    for (const key of counted.keys()) {
      const left = openSockets.get(key)! - 1
      if (left > 0) openSockets.set(key, left)
      else openSockets.delete(key)
    }
  }
}

/** Tells a client what failed, and closes its connection. */
function fail({ log }: Engine, client: ClientSocket, cause: unknown): void {
  const error = asCarrelError(cause)
  logFailure(log, error)
  if (client.readyState !== client.OPEN) return
  client.send(JSON.stringify({ type: 'error', code: envelope.codeOf(error.code), message: error.message }))
  client.close(closeCodes.failure, reasonOf(error.message))
}

/** Returns as much of a message as a close frame has room for. */
function reasonOf(message: string): string {
  const bytes = Buffer.from(message)
  return bytes.length <= 123
    ? message
    : `${bytes
        .subarray(0, 116)
        .toString('utf8')
        .replace(/\uFFFD+$/, '')}…`
}
