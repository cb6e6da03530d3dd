import { randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
} from 'fastify'
import { limits } from '../config/limits.ts'
import type { Engine } from '../engine/engine.ts'
import { authenticate, countUnknown } from './authenticate.ts'
import { baseUrls } from './base-url.ts'
import { addBodyHooks } from './body-hooks.ts'
import type { ComputerPages } from './computer-pages.ts'
import type { Connections } from './connections.ts'
import { addCreditWarning } from './credit-warning.ts'
import { errorReply, type ErrorReply } from './error-reply.ts'
import { frontServer } from './front-server.ts'
import { addIdempotency } from './idempotency.ts'
import { addInnerCalls } from './inner-call.ts'
import { readJsonBodies } from './json-body.ts'
import { addLargeResponses } from './large-response.ts'
import { takeUnknownFields } from './lenient-requests.ts'
import { answerMalformedRequest } from './malformed-request.ts'
import { serverStops, type OpenRequests } from './open-requests.ts'
import { PreviewProxy } from './previews/proxy.ts'
import './route-config.ts'
import { addSignInLimit, rateClassOf, type AccountLimits } from './rate-limits.ts'
import { RouteCatalog } from './route-catalog.ts'
import { StalledBodies } from './stalled-bodies.ts'
import { surfaceOf, type Surface } from './surface.ts'
import { measureTextsQuickly } from './text-lengths.ts'
import { addUnknownRoutes } from './unknown-routes.ts'
import { Upgrades, type UpgradeHandler } from './upgrades.ts'

declare module 'fastify' {
  interface FastifyInstance {
    catalog: RouteCatalog
    /** True once the server closes: a connection is not kept for another request then. */
    readonly isClosing: boolean
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

export interface AppParts {
  engine: Engine
  surfaces: readonly Surface[]
  openRequests: OpenRequests
  accountLimits: AccountLimits
  connections: Connections
}

interface Options extends AppParts {
  onUpgrade: UpgradeHandler
  /** What serves the pages of computers, on hosts of their own. */
  pages?: ComputerPages | undefined
}

/** Creates the HTTP server: previews and pages of computers by host name, everything else by the routes of the surfaces. */
export async function createApp(options: Options): Promise<App> {
  const { engine, surfaces, onUpgrade, openRequests, connections, pages } = options
  const { previewDomain } = engine.settings
  const bodies = new StalledBodies(limits.stalledBodyMs)
  const previews = new PreviewProxy({ engine, bodies, connections })
  const app = newApp({ ...options, bodies }, frontServer({ previews, pages, previewDomain, openRequests }))
  app.server.on('connection', (socket) => connections.accept(socket))
  const upgrades = new Upgrades(app.server, { previews, pages, previewDomain, onUpgrade, surfaces })
  app.addHook('preClose', async () => upgrades.close())
  app.addHook('onClose', async () => connections.close())
  return app
}

/**
 * Returns an app without routes. Hooks run in the order in which they are added: a request is known to be open before
 * anything else happens to it, and its caller is known before its body is read.
 */
export function newApp(
  options: AppParts & { bodies: StalledBodies },
  serverFactory: ReturnType<typeof frontServer>,
): App {
  const { engine, surfaces, openRequests, bodies } = options
  const fail = errorReply(surfaces)
  const app: App = fastify({
    ...fastifyOptions(engine),
    frameworkErrors: (error, request, reply) =>
      void fail(error, request as unknown as FastifyRequest, reply as unknown as FastifyReply),
    clientErrorHandler: (error, socket) => answerMalformedRequest(error, socket, surfaces),
    serverFactory,
  })
  app.removeContentTypeParser('text/plain')
  readJsonBodies(app, engine.budgets.memory)
  app.setErrorHandler(fail)
  describeRoutes(app, engine, surfaces)
  const refuseUnknown = addUnknownRoutes(app, surfaces)
  addClosing(app, openRequests, fail)
  addBodyHooks(app, bodies, surfaces)
  addSignInLimit(app, engine)
  addAuthentication(app, options, refuseUnknown)
  app.addHook('onResponse', logRequest)
  // Before what reads a body that was validated.
  takeUnknownFields(app)
  addIdempotency(app, engine)
  addLargeResponses(app)
  addCreditWarning(app, engine)
  addInnerCalls(app)
  return app
}

function fastifyOptions({ log, settings: { trustedProxies } }: Engine): FastifyServerOptions {
  return {
    loggerInstance: log,
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
  }
}

/** Tells each route its surface and rate class, and each request the origin by which its client reaches the server. */
function describeRoutes(app: App, engine: Engine, surfaces: readonly Surface[]): void {
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
}

/** Registers each request as open, and refuses requests while the server closes. */
function addClosing(app: App, openRequests: OpenRequests, fail: ErrorReply): void {
  let closing = false
  app.decorate('isClosing', { getter: () => closing })
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', reply.request.id)
    if (closing) throw serverStops()
    openRequests.add(reply.raw, (error) => void fail(error, request, reply))
  })
  app.addHook('preClose', async () => {
    closing = true
  })
  // A connection whose request is answered while the server closes is not kept: closing would wait for it.
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close')
  })
}

function addAuthentication(
  app: App,
  { engine, surfaces, accountLimits, connections }: AppParts,
  refuseUnknown: (request: FastifyRequest, reply: FastifyReply) => never,
): void {
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
}

async function logRequest(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  request.log.info(
    {
      method: request.method,
      route: request.routeOptions.url,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
    },
    'request',
  )
}
