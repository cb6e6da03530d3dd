import swagger from '@fastify/swagger'
import type { App } from './app.ts'
import { version } from '../version.ts'

/** `GET /openapi.json`: OpenAPI 3.1 of every route that has documentation, from the schemas that requests are checked with. */
export async function addOpenApi(app: App): Promise<void> {
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
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    },
    hideUntagged: false,
    transform: ({ schema, url, route }) => {
      const { documentation, public: isPublic } = route.config ?? {}
      const described = {
        ...schema,
        ...(documentation?.form ? { body: documentation.form } : {}),
        ...(documentation?.answers ? { response: documentation.answers } : {}),
        hide: documentation === undefined,
        description: [documentation?.description, documentation?.notes].filter(Boolean).join('. '),
        summary: documentation?.description,
        operationId: `${String(route.method).toLowerCase()}${url.replaceAll(/[^a-z]+([a-z])/gi, (_, letter: string) => letter.toUpperCase()).replaceAll(/[^a-z]/gi, '') || 'Root'}`,
        security: isPublic ? [] : [{ bearer: [] }],
      }
      return { schema: described, url }
    },
  })
  app.get('/openapi.json', { config: { public: true } }, () => app.swagger())
}
