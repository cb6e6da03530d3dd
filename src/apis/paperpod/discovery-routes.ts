import type { FastifyRequest, RouteOptions } from 'fastify'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { homePage } from '../../http/pages/home-page.ts'
import { formPageHeaders } from '../../http/pages/page.ts'
import { signInFacts } from '../../http/pages/sign-in-section.ts'
import { prefersHtml } from '../../http/prefers-html.ts'
import { returnsOf } from '../../http/returns-of.ts'
import type { RouteDocumentation } from '../../http/route-config.ts'
import { pageOrJson } from '../schema.ts'
import { discoveryDocument } from './discovery-document.ts'
import { paramsOf } from './params-of.ts'
import { discoveryAnswer } from './schemas/server.ts'
import { Messages } from './sockets/messages.ts'

/** Adds `GET /`: the discovery document, which describes every route of the contract; in a browser, a page. */
export function addDiscoveryRoutes(app: App, engine: Engine): void {
  const messages = new Messages(app).types
  app.get(
    '/',
    {
      config: {
        public: true,
        documentation: {
          description: 'API schema and discovery (this endpoint)',
          returns: 'JSON schema',
          answers: { 200: pageOrJson('A page for people, with sign-in by mail', discoveryAnswer) },
        },
      },
    },
    (request, reply) => {
      void reply.header('vary', 'Accept')
      if (prefersHtml(request.headers))
        return reply.headers(formPageHeaders).send(homePage(signInFacts(engine, request.baseUrl)))
      return discoveryDocument({
        baseUrl: request.baseUrl,
        engine,
        endpoints: endpointsOf(app, request),
        messages,
        surfaces: app.catalog.surfaces,
      })
    },
  )
}

/** Returns every route of the contract, such as `POST /execute`, with its description. */
function endpointsOf({ catalog }: App, { routeOptions }: FastifyRequest): Record<string, unknown> {
  const routes = catalog.topicsOf(routeOptions.config.surface!).flatMap(({ routes }) => routes)
  return Object.fromEntries(
    routes.map(({ name, options }) => [name.replaceAll(/:(\w+)/g, '{$1}'), describeRoute(options)]),
  )
}

function describeRoute(route: RouteOptions): Record<string, unknown> {
  const { documentation = { description: '' } } = route.config ?? {}
  const { params, headers, form: _form, answers: _answers, errors: _errors, ...rest } = documentation
  const fields = params ?? paramsOf(route.schema?.body ?? route.schema?.querystring)
  const described = headers ? { ...fields, ...headerParams(headers) } : fields
  return {
    ...rest,
    returns: returnsOf(route),
    auth: documentation.auth ?? !route.config?.public,
    ...(described ? { params: described } : {}),
    ...(route.config?.idempotent ? { idempotent: 'Idempotency-Key is supported' } : {}),
  }
}

/** Returns headers in the form of the document, which lists them among the parameters. */
function headerParams(headers: NonNullable<RouteDocumentation['headers']>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, { required, description }]) => [
      name,
      { type: 'header', required, description },
    ]),
  )
}
