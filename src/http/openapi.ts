import swagger from '@fastify/swagger'
import type { App } from './app.ts'
import type { ErrorEnvelope } from './error-envelope.ts'
import { operationSchema } from './operation-schema.ts'
import { openApi30 } from './openapi-30.ts'
import { topics } from './topics.ts'
import { version } from '../version.ts'

/**
 * `GET /openapi.json`: OpenAPI 3.0 of every route that has documentation, from the schemas that requests are checked with; Pawpado's
 * document promises that version, and no other one asks for a newer. `GET /api/v1/openapi.json` is of Pawpado's routes alone.
 * `errorEnvelopes` are the bodies of errors, by surface.
 */
export async function addOpenApi(app: App, errorEnvelopes: readonly ErrorEnvelope[]): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Carrel',
        version,
        description: 'A computer of its own for every agent',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: topics.map(({ name, description }) => ({ name, description })),
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'A token, such as pp_sess_..., in every request' },
        },
        schemas: errorSchemas(errorEnvelopes),
      },
    },
    hideUntagged: false,
    transform: ({ url, route }) => ({ schema: operationSchema(url, route, errorEnvelopes), url }),
    transformObject: (document) => withoutEmptyTopics('openapiObject' in document ? document.openapiObject : {}),
  })
  for (const under of ['', '/api/v1']) {
    let made: string | undefined
    // The routes don't change once the server listens, and to write them each time takes some milliseconds.
    app.get(`${under}/openapi.json`, { config: { public: true } }, (_request, reply) =>
      reply.type('application/json; charset=utf-8').send((made ??= JSON.stringify(openApiBelow(app, under)))),
    )
  }
}

/** The document of the routes below a path. */
export function openApiBelow(app: Pick<App, 'swagger'>, under = ''): object {
  const { paths = {}, components, ...rest } = openApi30(app.swagger()) as Document
  const own = Object.fromEntries(Object.entries(paths).filter(([path]) => path.startsWith(`${under}/`)))
  const text = JSON.stringify(own)
  const used = Object.entries(components?.schemas ?? {}).filter(([name]) =>
    text.includes(`"#/components/schemas/${name}"`),
  )
  return withoutEmptyTopics({ ...rest, paths: own, components: { ...components, schemas: Object.fromEntries(used) } })
}

function errorSchemas(forms: readonly ErrorEnvelope[]): Record<string, object> {
  const all = forms.flatMap(({ name, schema, invalid }) => [{ name, schema }, ...(invalid ? [invalid] : [])])
  return Object.fromEntries(all.map(({ name, schema }) => [name, schema])) as Record<string, object>
}

interface Document {
  tags?: { name: string }[]
  paths?: Record<string, Record<string, { tags?: string[] }>>
  components?: { schemas?: Record<string, object> }
}

/** A topic that no route of this version belongs to is not shown. */
function withoutEmptyTopics(document: object): object {
  const { tags = [], paths = {} } = document as Document
  const used = new Set(
    Object.values(paths).flatMap((methods) => Object.values(methods).flatMap(({ tags }) => tags ?? [])),
  )
  return { ...document, tags: tags.filter(({ name }) => used.has(name)) }
}
