import type { RouteOptions } from 'fastify'
import type { Engine } from '../../engine/engine.ts'
import { helpersOf } from '../../engine/helpers.ts'
import type { HelperState } from '../../helper-states.ts'
import type { App } from '../../http/app.ts'
import { baseUrls } from '../../http/base-url.ts'
import type { RouteDocumentation } from '../../http/route-config.ts'
import { version } from '../../version.ts'
import { discoveryDocument } from './discovery-document.ts'
import { paramsOf } from './params-of.ts'
import { discoveryAnswer, healthAnswer } from './schemas.ts'
import type { Messages } from './sockets/messages.ts'

/** `GET /` and `GET /health`. Added first, so that it hears of every route that comes after it. */
export function addDiscoveryRoutes(app: App, engine: Engine, messages: Messages): void {
  const endpoints: Record<string, unknown> = {}
  const baseUrl = baseUrls(engine)
  app.addHook('onRoute', (route) => {
    const { documentation } = route.config ?? {}
    if (documentation && route.method !== 'HEAD')
      endpoints[`${String(route.method)} ${route.url.replaceAll(/:(\w+)/g, '{$1}')}`] = describeRoute(
        route,
        documentation,
      )
  })

  app.get(
    '/',
    {
      config: {
        public: true,
        documentation: {
          description: 'API schema and discovery (this endpoint)',
          returns: 'JSON schema',
          answers: { 200: discoveryAnswer },
        },
      },
    },
    (request) =>
      discoveryDocument({
        baseUrl: baseUrl(request),
        engine,
        endpoints,
        messages: messages.types,
      }),
  )

  app.get(
    '/health',
    {
      schema: { response: { 200: healthAnswer } },
      config: {
        public: true,
        documentation: {
          description: 'Health check',
          returns: '{ status, service, version, timestamp, helpers: { <name>: { status, since } } }',
          notes:
            'status is ok when the server answers. helpers are what it works with: the process monitor, lxcfs, the storage pool, the disk of the host, the database; one that is degraded has a reason.',
        },
      },
    },
    async () => ({
      status: 'ok',
      service: 'carrel',
      version,
      timestamp: new Date().toISOString(),
      helpers: Object.fromEntries(helpersOf(engine).map(helperOf)),
    }),
  )
}

function helperOf({ name, status, sinceMs, reason }: HelperState) {
  return [name, { status, since: new Date(sinceMs).toISOString(), reason }] as const
}

function describeRoute(route: RouteOptions, documentation: RouteDocumentation): Record<string, unknown> {
  const { params, headers, form: _form, answers: _answers, errors: _errors, ...rest } = documentation
  const fields = params ?? paramsOf(route.schema?.body ?? route.schema?.querystring)
  const described = headers ? { ...fields, ...headerParams(headers) } : fields
  return {
    ...rest,
    auth: documentation.auth ?? !route.config?.public,
    ...(described ? { params: described } : {}),
    ...(route.config?.idempotent ? { idempotent: 'Idempotency-Key is honoured' } : {}),
  }
}

/** As the document has them: among the parameters. */
function headerParams(headers: NonNullable<RouteDocumentation['headers']>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, { required, description }]) => [
      name,
      { type: 'header', required, description },
    ]),
  )
}
