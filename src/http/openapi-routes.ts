import type { App } from './app.ts'
import { surfaceNamed, surfaceParams } from './docs/surface-params.ts'
import { openApiAnswer, openApiText } from './openapi.ts'
import type { Surface } from './surface.ts'

/** The reference for programs: `/openapi.json` of all surfaces, and the document of each. */
export function addOpenApiRoutes(app: App): void {
  const { surfaces } = app.catalog
  const kept = new Map<Surface | undefined, string>()
  // Routes do not change once the server listens, and writing them takes some milliseconds.
  const text = (surface?: Surface) => {
    const found = kept.get(surface) ?? openApiText(app, surface)
    kept.set(surface, found)
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
