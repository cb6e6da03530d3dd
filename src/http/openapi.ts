import swagger from '@fastify/swagger'
import type { App } from './app.ts'
import type { ErrorForm } from './error-form.ts'
import { operationSchema } from './operation-schema.ts'
import { topics } from './topics.ts'
import { version } from '../version.ts'

/**
 * `GET /openapi.json`: OpenAPI 3.1 of every route that has documentation, from the schemas that requests are checked with.
 * `errorForms` are the bodies of errors, by surface.
 */
export async function addOpenApi(app: App, errorForms: readonly ErrorForm[]): Promise<void> {
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
        schemas: errorSchemas(errorForms),
      },
    },
    hideUntagged: false,
    transform: ({ url, route }) => ({ schema: operationSchema(url, route, errorForms), url }),
    transformObject: (document) => withoutEmptyTopics('openapiObject' in document ? document.openapiObject : {}),
  })
  app.get('/openapi.json', { config: { public: true } }, () => app.swagger())
}

function errorSchemas(forms: readonly ErrorForm[]): Record<string, object> {
  const all = forms.flatMap(({ name, schema, invalid }) => [{ name, schema }, ...(invalid ? [invalid] : [])])
  return Object.fromEntries(all.map(({ name, schema }) => [name, schema])) as Record<string, object>
}

interface Document {
  tags?: { name: string }[]
  paths?: Record<string, Record<string, { tags?: string[] }>>
}

/** A topic that no route of this version belongs to is not shown. */
function withoutEmptyTopics(document: object): object {
  const { tags = [], paths = {} } = document as Document
  const used = new Set(
    Object.values(paths).flatMap((methods) => Object.values(methods).flatMap(({ tags }) => tags ?? [])),
  )
  return { ...document, tags: tags.filter(({ name }) => used.has(name)) }
}
