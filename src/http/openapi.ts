import swagger from '@fastify/swagger'
import type { App } from './app.ts'
import { addExtras } from './openapi-extras.ts'
import { requestRules } from './lenient-requests.ts'
import { operationSchema } from './operation-schema.ts'
import { openApi30 } from './openapi-30.ts'
import type { Surface, Topic } from './surface.ts'
import { version } from '../version.ts'

/**
 * Collects the operations of every documented route that is added after this call, from the schemas that validate
 * requests.
 */
export async function collectOperations(app: App): Promise<void> {
  const { surfaces } = app.catalog
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
      tags: surfaces.flatMap((surface) =>
        surface.topics.map((topic) => ({ name: tagOf(surface, topic), description: topic.description })),
      ),
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'A token, such as pp_sess_..., in every request' },
        },
        schemas: errorSchemas(surfaces),
      },
    },
    hideUntagged: false,
    transform: ({ url, route }) => {
      const { surface, topic } = app.catalog.find(`${String(route.method)} ${route.url}`) ?? {}
      if (!surface || !topic) return { schema: { hide: true }, url }
      return { schema: operationSchema(url, route, tagOf(surface, topic)), url }
    },
    transformObject: (document) => {
      const whole = 'openapiObject' in document ? (document.openapiObject as Document) : {}
      for (const [path, methods] of Object.entries(whole.paths ?? {}))
        for (const [method, operation] of Object.entries(methods)) {
          const route = app.catalog.find(`${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`)
          if (route) addExtras(operation, route)
        }
      return withoutUnused(whole) as object
    },
  })
}

/** Returns the tag of a topic, which is unique in the document of all surfaces. */
function tagOf({ title }: Surface, { name }: Topic): string {
  return `${title}: ${name}`
}

/** Returns the OpenAPI 3.1 document of all surfaces, or of one surface's contract; `openApi30` converts it to 3.0. */
export function openApiDocument(app: Pick<App, 'swagger' | 'catalog'>, surface?: Surface): Document {
  const whole = app.swagger() as Document
  return surface ? ofSurface(whole, app.catalog.topicsOf(surface), surface) : whole
}

/** Returns the document as text in OpenAPI 3.0, which Pawpado's document requires and no other document forbids. */
export function openApiText(app: Pick<App, 'swagger' | 'catalog'>, surface?: Surface): string {
  return JSON.stringify(openApi30(openApiDocument(app, surface)))
}

/** The description of an answer that is an OpenAPI document. */
export const openApiAnswer = {
  description: 'OpenAPI 3.0',
  content: {
    'application/json': {
      schema: {
        type: 'object',
        required: ['openapi', 'info', 'paths'],
        properties: { openapi: { type: 'string' }, info: { type: 'object' }, paths: { type: 'object' } },
        additionalProperties: true,
      },
    },
  },
}

function ofSurface(whole: Document, topics: ReturnType<App['catalog']['topicsOf']>, surface: Surface): Document {
  const paths: Document['paths'] = {}
  for (const { topic, routes } of topics)
    for (const { options } of routes) {
      const path = options.url.replaceAll(/:(\w+)/g, '{$1}')
      const method = String(options.method).toLowerCase()
      const operation = whole.paths?.[path]?.[method]
      if (operation) (paths[path] ??= {})[method] = { ...operation, tags: [topic.name] }
    }
  return withoutUnused({
    ...whole,
    info: {
      ...whole.info,
      title: `Carrel: ${surface.title}`,
      description: `${surface.description} ${requestRules(surface)}`,
    },
    tags: topics.map(({ topic: { name, description } }) => ({ name, description })),
    paths,
  })
}

function errorSchemas(surfaces: readonly Surface[]): Record<string, object> {
  const all = surfaces.flatMap(({ envelope: { name, schema, invalid } }) => [
    { name, schema },
    ...(invalid ? [invalid] : []),
  ])
  return Object.fromEntries(all.map(({ name, schema }) => [name, schema])) as Record<string, object>
}

interface Document {
  info?: object
  tags?: { name: string }[]
  paths?: Record<string, Record<string, { tags?: string[] }>>
  components?: { schemas?: Record<string, object> }
}

/** Drops topics without routes, and schemas that no operation refers to. */
function withoutUnused(document: Document): Document {
  const { tags = [], paths = {}, components } = document
  const text = JSON.stringify(paths)
  const used = new Set(Object.values(paths).flatMap((methods) => Object.values(methods).flatMap(({ tags }) => tags)))
  const schemas = Object.entries(components?.schemas ?? {}).filter(([name]) =>
    text.includes(`"#/components/schemas/${name}"`),
  )
  return {
    ...document,
    tags: tags.filter(({ name }) => used.has(name)),
    components: { ...components, schemas: Object.fromEntries(schemas) },
  }
}
