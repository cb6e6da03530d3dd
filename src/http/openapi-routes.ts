import type { App } from './app.ts'
import { surfaceNamed, surfaceParams } from './docs/surface-params.ts'
import { openApiAnswer, openApiText } from './openapi.ts'
import type { Surface } from './surface.ts'

/** Adds the reference for programs: `/openapi.json` of all surfaces, and the document of each. */
export function addOpenApiRoutes(app: App): void {
  const { surfaces } = app.catalog
  const cache = new Map<Surface | undefined, string>()
  // Routes do not change once the server listens, and generating a document takes some milliseconds.
  const text = (surface?: Surface) => {
    const found = cache.get(surface) ?? openApiText(app, surface)
    cache.set(surface, found)
    return found
  }
  const type = 'application/json; charset=utf-8'
  app.get(
    '/openapi.json',
    {
      config: {
        public: true,
        documentation: { description: 'OpenAPI of every route', answers: { 200: openApiAnswer } },
      },
    },
    (_request, reply) => reply.type(type).send(text()),
  )
  app.get(
    '/openapi/:surface.json',
    {
      schema: { params: surfaceParams(surfaces) },
      config: {
        public: true,
        documentation: {
          description: 'OpenAPI of one API',
          answers: { 200: openApiAnswer },
          errors: ['not_found'],
        },
      },
    },
    ({ params }, reply) => reply.type(type).send(text(surfaceNamed(surfaces, params.surface))),
  )
}
