import type { FastifyRequest } from 'fastify'
import { limits } from '../../config/limits.ts'
import type { Engine } from '../../engine/engine.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { bearerToken } from '../../http/authenticate.ts'
import { addSocket } from '../../http/sockets/add-socket.ts'
import { socketSessionAnswer, socketTicketAnswer } from './schemas/socket.ts'
import { Connection } from './sockets/connection.ts'
import { Messages } from './sockets/messages.ts'
import { SocketTickets, ticketLifeMs } from './sockets/socket-tickets.ts'

/** Adds the WebSocket `/ws`, the ticket that opens it from a browser, and the deprecated route for such a ticket. */
export function addSocketRoutes(app: App, engine: Engine): void {
  const tickets = new SocketTickets()
  const messages = new Messages(app)

  app.post(
    '/ws/ticket',
    {
      schema: { response: { 200: socketTicketAnswer } },
      config: {
        documentation: {
          description: 'Get a ticket that opens one WebSocket, for clients that cannot set a header',
          notes:
            'A ticket works once, within 60 seconds, while the token of this request is valid. The WebSocket ends when that token does.',
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

  const documentation = {
    description: 'WebSocket upgrade - persistent bidirectional connection',
    auth: 'Authorization: Bearer <token>',
    protocol: 'JSON messages over WebSocket',
    discovery: "Send { type: 'help' } for full WebSocket API schema",
    messages: () => messages.documented(),
    notes:
      'Clients that cannot set a header, such as browsers, connect with ?ticket=<ticket> from POST /ws/ticket. A session token or an API key in the address is refused, since addresses are logged.',
  }
  addSocket(
    app,
    '/ws',
    { documentation },
    {
      maxMessageBytes: limits.jsonBodyBytes,
      tokenOf: (request) => {
        const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
        const given = searchParams.get('ticket') ?? searchParams.get('token')
        if (!given) return undefined
        const token = tickets.redeem(given)
        if (token !== undefined) return token
        throw new CarrelError(
          'unauthenticated',
          'Cannot open the WebSocket: its address has no valid ticket. Session tokens and API keys are refused there: send the token in Authorization, or get a ticket from POST /ws/ticket',
        )
      },
      open: (socket, who) => void new Connection({ engine, messages, socket, who }),
    },
  )

  function issueTo({ caller, headers }: Pick<FastifyRequest, 'caller' | 'headers'>): string {
    return tickets.issue(caller.accountId, bearerToken(headers))
  }

  function addressFor({ baseUrl }: Pick<FastifyRequest, 'baseUrl'>): string {
    return `${baseUrl.replace(/^http/, 'ws')}/ws`
  }
}

/** In Unix seconds, as RFC 9745 requires: 2026-01-26, the date of the document that deprecates the route. */
const deprecatedSince = 1_769_385_600
