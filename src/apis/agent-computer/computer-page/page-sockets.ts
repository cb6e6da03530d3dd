import { keepInUse } from '../../../engine/computers/access/keep-in-use.ts'
import { countConnection } from '../../../engine/computers/access-sessions/count-connection.ts'
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

/** Adds a WebSocket of the page. While it is open, its computer is in use. */
export function addPageSocket(app: App, engine: Engine, { path, part, maxMessageBytes, open }: Endpoint): void {
  const socket: PageSocket = {
    part,
    maxMessageBytes,
    open: (client, { params, request }) => {
      const visit = visitOf(request)
      client.on('error', () => client.terminate())
      const leave = countConnection(visit.session)
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
