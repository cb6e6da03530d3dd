import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, {
  errorCodes,
  LogController,
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
} from 'fastify'
import { limits } from '../config/limits.ts'
import type { Engine } from '../engine/engine.ts'
import { CarrelError } from '../errors.ts'
import { authenticate, countUnknown } from './authenticate.ts'
import { answerMalformedRequest, noteRequest, refuseUpgrade } from './malformed-request.ts'
import type { Connections } from './connections.ts'
import { baseUrls } from './base-url.ts'
import { errorAnswer } from './error-envelope.ts'
import { drainRequest } from './drain-request.ts'
import { addCreditWarning } from './credit-warning.ts'
import { addIdempotency } from './idempotency.ts'
import { addInnerCalls } from './inner-call.ts'
import { readJsonBodies } from './json-body.ts'
import { KnownRoutes } from './known-routes.ts'
import { addLargeResponses } from './large-response.ts'
import { sendFinalResponse } from './final-response.ts'
import { logFailure } from './log-failure.ts'
import { serverStops, type OpenRequests } from './open-requests.ts'
import { sendErrorPage } from './previews/error-page.ts'
import { isUnderPreviewDomain, parsePreviewHost } from './previews/preview-name.ts'
import { PreviewProxy } from './previews/proxy.ts'
import './route-config.ts'
import { addSignInLimit, rateClassOf, type AccountLimits } from './rate-limits.ts'
import { RouteCatalog } from './route-catalog.ts'
import { retryAfterS } from './retry-after.ts'
import { StalledBodies } from './stalled-bodies.ts'
import { cutStalledResponse } from './stalled-clients.ts'
import { measureTextsQuickly } from './text-lengths.ts'
import { requestError } from './validation-error.ts'
import { pathOf } from './path-of.ts'
import { surfaceOf, type Surface } from './surface.ts'

declare module 'fastify' {
  interface FastifyInstance {
    catalog: RouteCatalog
  }
  interface FastifyRequest {
    /** The origin by which the client reaches the server, safe to repeat: see `base-url.ts`. */
    readonly baseUrl: string
  }
}

export type App = FastifyInstance<
  Server,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** Answers a WebSocket handshake on the origin itself; returns false when nothing is at that path. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean

interface Options {
  engine: Engine
  surfaces: readonly Surface[]
  onUpgrade: UpgradeHandler
  openRequests: OpenRequests
  accountLimits: AccountLimits
  connections: Connections
}

const timeouts = {
  headersTimeout: 60_000,
  requestTimeout: 0,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 10_000,
}
/** The kernel detects a client that vanished silently. */
const probes = { keepAlive: true, keepAliveInitialDelay: 60_000 }

/** How long a WebSocket has for its close handshake when the server closes. */
const tunnelGraceMs = 1_000

/** Ignores an offer of HTTP/2 over cleartext, which some clients send with each request. */
function mayUpgrade(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() !== 'h2c'
}

/** The HTTP server: previews by host name, everything else by the routes of the surfaces. */
export async function createApp(options: Options): Promise<App> {
  const { engine, surfaces, onUpgrade, openRequests, accountLimits, connections } = options
  const { previewDomain, trustedProxies } = engine.settings
  const bodies = new StalledBodies(limits.stalledBodyMs)
  const previews = new PreviewProxy({ engine, bodies, connections })
  const logger: FastifyBaseLogger = engine.log
  const fail = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const known = requestError(error, request)
    // Without the query, which contains the code of a sign-in link.
    logFailure(request.log, known, { path: request.url.split('?')[0] })
    if (known.code === 'no_capacity') reply.header('retry-after', String(retryAfterS))
    if (known.code === 'rate_limited') reply.header('retry-after', String(known.details.retryAfter))
    if (known.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer')
    if (known.code === 'range_not_satisfiable')
      reply.header('content-range', `bytes */${String(known.details.sizeBytes)}`)
    const { envelope } = request.routeOptions?.config?.surface ?? surfaceOf(surfaces, pathOf(request.url))
    const { status, text } = errorAnswer(envelope, known, request.id, request)
    return reply.header('x-request-id', request.id).status(status).type('application/json; charset=utf-8').send(text)
  }
  const app: App = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: limits.bodyBytes,
    trustProxy: trustedProxies.length > 0 && trustedProxies,
    requestTimeout: 0,
    keepAliveTimeout: 75_000,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 4096 },
    ajv: {
      customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false },
      plugins: [measureTextsQuickly],
    },
    frameworkErrors: (error, request, reply) =>
      void fail(error, request as unknown as FastifyRequest, reply as unknown as FastifyReply),
    clientErrorHandler: (error, socket) => answerMalformedRequest(error, socket, surfaces),
    serverFactory: (handler) => {
      const answer = (request: IncomingMessage, response: ServerResponse) => {
        cutStalledResponse(response, limits.stalledClientMs)
        noteRequest(response)
        const target = parsePreviewHost(request.headers.host, previewDomain)
        if (target) {
          openRequests.add(response, (error) => sendErrorPage(request, response, error))
          void previews.handle(target, request, response)
        } else if (isUnderPreviewDomain(request.headers.host, previewDomain))
          sendErrorPage(
            request,
            response,
            new CarrelError('not_found', 'Cannot open the preview: there is no such name'),
          )
        else handler(request, response)
      }
      // A client that sends Expect: 100-continue is told to continue only once its body will be read (`preParsing`);
      // otherwise it gets only the refusal.
      return createServer({ ...timeouts, ...probes, shouldUpgradeCallback: mayUpgrade }, answer).on(
        'checkContinue',
        (request: IncomingMessage, response: ServerResponse) => {
          if (parsePreviewHost(request.headers.host, previewDomain)) response.writeContinue()
          answer(request, response)
        },
      )
    },
  })
  app.removeContentTypeParser('text/plain')
  readJsonBodies(app, engine.budgets.memory)
  app.server.on('connection', (socket) => connections.accept(socket))
  // By itself, Node refuses an unknown expectation with an empty response; RFC 9110 also allows ignoring it.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  let closing = false
  const tunnels = new Set<Duplex>()
  app.server.on('upgrade', (request, socket, head) => {
    if (closing)
      return sendFinalResponse(
        socket,
        'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
      )
    tunnels.add(socket)
    socket.once('close', () => tunnels.delete(socket))
    const target = parsePreviewHost(request.headers.host, previewDomain)
    if (target) void previews.upgrade(target, request, socket, head)
    else if (!isUnderPreviewDomain(request.headers.host, previewDomain)) {
      if (!onUpgrade(request, socket, head)) refuseUpgrade(request, socket, surfaces)
    } else sendFinalResponse(socket, 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
  })
  app.setErrorHandler(fail)
  app.addHook('onRoute', (route) => {
    const { rateClass = rateClassOf(String(route.method)) } = route.config ?? {}
    route.config = { ...route.config, surface: surfaceOf(surfaces, route.url), rateClass }
  })
  app.decorate('catalog', new RouteCatalog(surfaces))
  const baseUrl = baseUrls(engine)
  app.decorateRequest('baseUrl', {
    getter(this: FastifyRequest) {
      return baseUrl(this)
    },
  })
  const known = new KnownRoutes(app)
  const refuseUnknown = (request: FastifyRequest, reply: FastifyReply): never => {
    const path = pathOf(request.url)
    const action = `Cannot ${request.method} ${path.slice(0, 200)}`
    const methods = known.methodsOf(path)
    if (methods.length === 0) {
      const near = known.near(path)
      const hint = near.length > 0 ? `; similar routes: ${near.join(', ')}` : ''
      throw new CarrelError('route_not_found', `${action}: there is no such route${hint}`, { details: { near } })
    }
    reply.header('allow', methods.join(', '))
    throw new CarrelError('method_not_allowed', `${action}: the route takes ${methods.join(' or ')}`, {
      details: { methods },
    })
  }
  app.setNotFoundHandler(refuseUnknown)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', reply.request.id)
    if (closing) throw serverStops()
    openRequests.add(reply.raw, (error) => void fail(error, request, reply))
  })
  // A connection whose request is answered while the server closes is not kept: closing would wait for it.
  app.addHook('preClose', async () => {
    closing = true
    // WebSockets never become idle and would keep the server: clients were asked to reconnect, or they belong to
    // previews.
    setTimeout(() => tunnels.forEach((socket) => socket.destroy()), tunnelGraceMs).unref()
  })
  // Checked here for every body parser, because some notice only after they have read too much.
  app.addHook('preParsing', (request, reply, payload, done) => {
    const { 'content-length': length, expect } = request.headers
    if (Number(length) > request.routeOptions.bodyLimit) return done(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
    if (expect !== undefined && /^100-continue$/i.test(expect)) reply.raw.writeContinue()
    done(null, payload)
  })
  app.addHook('onSend', async (request, reply) => {
    if (!request.raw.complete) drainRequest(request, reply)
    if (closing) reply.header('connection', 'close')
  })
  app.addHook('onRequest', async (request, reply) =>
    bodies.watch(request.raw, () => {
      const { socket } = request.raw
      const error = Object.assign(new Error('the body stopped arriving'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
      // Unless another response is being sent on this connection.
      if (reply.raw.socket && !reply.raw.headersSent) answerMalformedRequest(error, socket, surfaces, request.url)
      socket.destroySoon()
    }),
  )
  app.addHook('onClose', async () => {
    bodies.close()
    connections.close()
  })
  addSignInLimit(app, engine)
  const check = authenticate(engine, accountLimits, connections)
  const countedUnknown = countUnknown(engine, accountLimits, surfaces)
  app.decorateRequest('caller')
  app.addHook('onRequest', (request, reply, done) => {
    // Before the body is read, which is not needed.
    if (request.is404)
      return void countedUnknown(request, reply)
        .then(() => refuseUnknown(request, reply))
        .catch(done)
    if (request.routeOptions.config.public) return done()
    const checked = check(request, reply)
    if (checked) checked.then(() => done(), done)
    else done()
  })
  app.addHook('onResponse', async (request, reply) => {
    request.log.info(
      {
        method: request.method,
        route: request.routeOptions.url,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
      },
      'request',
    )
  })
  addIdempotency(app, engine)
  addLargeResponses(app)
  addCreditWarning(app, engine)
  addInnerCalls(app)
  return app
}
