import { limits } from '../../../config/limits.ts'
import type { Engine } from '../../../engine/engine.ts'
import { CarrelError } from '../../../errors.ts'
import type { App } from '../../../http/app.ts'
import { bearerToken } from '../../../http/authenticate.ts'
import type { SocketEndpoint } from '../../../http/sockets/socket-server.ts'
import { socketSessionAnswer } from '../schemas.ts'
import { Connection } from './connection.ts'
import type { Messages } from './messages.ts'
import { SocketTickets, ticketLifeMs } from './socket-tickets.ts'

/** `GET /ws`, and the deprecated way to it. The answer takes the handshakes. */
export function addSocketRoutes(app: App, engine: Engine, messages: Messages): SocketEndpoint {
  const tickets = new SocketTickets()

  app.get(
    '/ws',
    {
      config: {
        documentation: {
          description: 'WebSocket upgrade - persistent bidirectional connection',
          auth: 'Authorization: Bearer <token>',
          protocol: 'JSON messages over WebSocket',
          discovery: "Send { type: 'help' } for full WebSocket API schema",
          returns: 'Switching protocols: a WebSocket',
          answers: { 101: { type: 'null' } },
          notes: 'Where a header cannot be set, as in a browser: ?token=<token>',
        },
      },
    },
    (_request, reply) => {
      reply.header('upgrade', 'websocket').header('connection', 'Upgrade')
      throw new CarrelError('upgrade_required', 'Cannot answer GET /ws: it is a WebSocket')
    },
  )

  app.post(
    '/ws/session',
    {
      schema: { response: { 200: socketSessionAnswer } },
      config: {
        documentation: {
          deprecated: true,
          description: 'DEPRECATED - Get WebSocket token',
          replacement: 'Use POST /login to get PaperPod token, then connect to /ws with Authorization: Bearer header',
          notes: 'This endpoint will be removed in a future version.',
          returns: '{ deprecated, token, expiresIn, url, replacement, notes }',
        },
      },
    },
    async (request, reply) => {
      const token = tickets.issue(bearerToken(request.headers))
      const { replacement = '', notes = '' } = request.routeOptions.config.documentation ?? {}
      reply.header('deprecation', `@${deprecatedSince}`).header('link', '</ws>; rel="successor-version"')
      reply.header('cache-control', 'no-store')
      const baseUrl = engine.settings.publicUrl ?? `${request.protocol}://${request.host}`
      const url = `${baseUrl.replace(/^http/, 'ws')}/ws?token=${token}`
      return { deprecated: true, token, expiresIn: ticketLifeMs / 1000, url, replacement, notes }
    },
  )

  return {
    path: '/ws',
    maxMessageBytes: limits.jsonBodyBytes,
    tokenOf: (request) => {
      const given = new URL(request.url ?? '/', 'http://localhost').searchParams.get('token')
      return given ? (tickets.redeem(given) ?? given) : undefined
    },
    open: (socket, who) => void new Connection({ engine, messages, socket, who }),
  }
}

/** As RFC 9745 has it: the day of the document that deprecates it, 2026-01-26, in Unix seconds. */
const deprecatedSince = 1_769_385_600
