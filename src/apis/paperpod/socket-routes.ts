import type { FastifyRequest } from 'fastify'
import { limits } from '../../config/limits.ts'
import type { Engine } from '../../engine/engine.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { bearerToken } from '../../http/authenticate.ts'
import { baseUrls } from '../../http/base-url.ts'
import type { SocketEndpoint } from '../../http/sockets/socket-server.ts'
import { socketSessionAnswer, socketTicketAnswer } from './schemas.ts'
import { Connection } from './sockets/connection.ts'
import type { Messages } from './sockets/messages.ts'
import { SocketTickets, ticketLifeMs } from './sockets/socket-tickets.ts'

/** `GET /ws`, and the deprecated way to it. The answer takes the handshakes. */
export function addSocketRoutes(app: App, engine: Engine, messages: Messages): SocketEndpoint {
  const tickets = new SocketTickets()
  const baseUrl = baseUrls(engine)

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
          notes:
            'Where a header cannot be set, as in a browser: ?ticket=<ticket>, of POST /ws/ticket. A token is taken in no address, since addresses are logged',
        },
      },
    },
    (_request, reply) => {
      reply.header('upgrade', 'websocket').header('connection', 'Upgrade')
      throw new CarrelError('upgrade_required', 'Cannot answer GET /ws: it is a WebSocket')
    },
  )

  app.post(
    '/ws/ticket',
    {
      schema: { response: { 200: socketTicketAnswer } },
      config: {
        documentation: {
          description: 'A ticket that opens one WebSocket, for clients that cannot set a header',
          returns: '{ ticket, expiresIn, url }',
          notes:
            'Good once, within 60 seconds, and for as long as the token that asked for it; what it opened ends with that token.',
        },
      },
    },
    async (request, reply) => {
      const ticket = issueTo(request)
      reply.header('cache-control', 'no-store')
      return { ticket, expiresIn: ticketLifeMs / 1000, url: `${addressFor(request)}?ticket=${ticket}` }
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
      const token = issueTo(request)
      const { replacement = '', notes = '' } = request.routeOptions.config.documentation ?? {}
      reply.header('deprecation', `@${deprecatedSince}`).header('link', '</ws>; rel="successor-version"')
      reply.header('cache-control', 'no-store')
      const url = `${addressFor(request)}?token=${token}`
      return { deprecated: true, token, expiresIn: ticketLifeMs / 1000, url, replacement, notes }
    },
  )

  return {
    path: '/ws',
    maxMessageBytes: limits.jsonBodyBytes,
    tokenOf: (request) => {
      const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
      const given = searchParams.get('ticket') ?? searchParams.get('token')
      if (!given) return undefined
      const token = tickets.redeem(given)
      if (token !== undefined) return token
      throw new CarrelError(
        'unauthenticated',
        'Cannot open the WebSocket: its address has no ticket that is still good. A token itself is taken in no address: send it in Authorization, or ask POST /ws/ticket for a ticket',
      )
    },
    open: (socket, who) => void new Connection({ engine, messages, socket, who }),
  }

  function issueTo({ caller, headers }: Pick<FastifyRequest, 'caller' | 'headers'>): string {
    return tickets.issue(caller.accountId, bearerToken(headers))
  }

  function addressFor(request: Parameters<typeof baseUrl>[0]): string {
    return `${baseUrl(request).replace(/^http/, 'ws')}/ws`
  }
}

/** As RFC 9745 has it: the day of the document that deprecates it, 2026-01-26, in Unix seconds. */
const deprecatedSince = 1_769_385_600
