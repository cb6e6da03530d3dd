import type { RouteOptions } from 'fastify'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import type { RouteDocumentation } from '../../http/route-config.ts'
import { version } from '../../version.ts'
import { discoveryDocument } from './discovery-document.ts'
import { discoveryAnswer, healthAnswer } from './schemas.ts'

/** `GET /` and `GET /health`. Added first, so that it hears of every route that comes after it. */
export function addDiscoveryRoutes(app: App, engine: Engine): void {
  const endpoints: Record<string, unknown> = {}
  app.addHook('onRoute', (route) => {
    const { documentation } = route.config ?? {}
    if (documentation && route.method !== 'HEAD')
      endpoints[`${String(route.method)} ${route.url}`] = describeRoute(route, documentation)
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
    ({ protocol, host }) =>
      discoveryDocument({ baseUrl: engine.settings.publicUrl ?? `${protocol}://${host}`, engine, endpoints }),
  )

  app.get(
    '/health',
    {
      schema: { response: { 200: healthAnswer } },
      config: {
        public: true,
        documentation: { description: 'Health check', returns: '{ status, service, version, timestamp }' },
      },
    },
    async () => ({ status: 'ok', service: 'carrel', version, timestamp: new Date().toISOString() }),
  )
}

function describeRoute(route: RouteOptions, documentation: RouteDocumentation): Record<string, unknown> {
  const { params, form: _form, answers: _answers, errors: _errors, ...rest } = documentation
  const described = params ?? paramsOf(route.schema?.body ?? route.schema?.querystring)
  return {
    ...rest,
    auth: !route.config?.public,
    ...(described ? { params: described } : {}),
    ...(route.config?.idempotent ? { idempotent: 'Idempotency-Key is honoured' } : {}),
  }
}

interface ObjectSchema {
  properties?: Record<string, Property>
  required?: string[]
}

interface Property {
  type?: string
  items?: { type: string }
  enum?: unknown[]
  default?: unknown
  description?: string
}

/** The document's short form of a body's schema: type, required, enum, default, description. */
function paramsOf(schema: unknown): Record<string, unknown> | undefined {
  const { properties, required = [] } = (schema ?? {}) as ObjectSchema
  if (!properties) return undefined
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => {
      const { enum: options, default: fallback, description } = property
      const type = typeOf(property)
      return [name, { type, required: required.includes(name), enum: options, default: fallback, description }]
    }),
  )
}

function typeOf({ type, items, enum: options }: Property): string {
  if (type === 'integer') return 'number'
  if (type === 'array' && items) return `${items.type}[]`
  return type ?? (options ? typeof options[0] : 'object')
}
