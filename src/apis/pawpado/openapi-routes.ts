import type { App } from '../../http/app.ts'
import { openApiAnswer, openApiText } from '../../http/openapi.ts'

/** Adds the OpenAPI reference of this surface, at the address that its document names. */
export function addOpenApiRoutes(app: App): void {
  let text: string | undefined
  app.get(
    '/api/v1/openapi.json',
    {
      config: {
        public: true,
        documentation: { description: 'OpenAPI of these routes', answers: { 200: openApiAnswer } },
      },
    },
    ({ routeOptions }, reply) => {
      // Routes do not change once the server listens.
      text ??= openApiText(app, routeOptions.config.surface)
      return reply.type('application/json; charset=utf-8').send(text)
    },
  )
}
