import type { FastifyReply, FastifyRequest } from 'fastify'
import { CarrelError } from '../errors.ts'
import type { App } from './app.ts'
import { KnownRoutes } from './known-routes.ts'
import { pathOf } from './path-of.ts'
import { surfaceOf, type Surface } from './surface.ts'

/**
 * Returns what refuses a request to an address without a route, and sets it as the handler of such requests: throws
 * `method_not_allowed` where the address has routes of other methods, otherwise `route_not_found`: with similar routes,
 * or, for a route of the surface's document, with the fact that this server does not have it yet.
 */
export function addUnknownRoutes(
  app: App,
  surfaces: readonly Surface[],
): (request: FastifyRequest, reply: FastifyReply) => never {
  const known = new KnownRoutes(app)
  const refuse = (request: FastifyRequest, reply: FastifyReply): never => {
    const path = pathOf(request.url)
    const action = `Cannot ${request.method} ${path.slice(0, 200)}`
    const methods = known.methodsOf(path)
    if (methods.length === 0) {
      const { absent, title } = surfaceOf(surfaces, path)
      if (absent?.includes(`${request.method} ${path}`))
        throw new CarrelError(
          'route_not_found',
          `${action}: this route of ${title} is not available on this server yet`,
        )
      const near = known.near(path)
      const hint = near.length > 0 ? `; similar routes: ${near.join(', ')}` : ''
      throw new CarrelError('route_not_found', `${action}: there is no such route${hint}`, { details: { near } })
    }
    reply.header('allow', methods.join(', '))
    throw new CarrelError('method_not_allowed', `${action}: the route takes ${methods.join(' or ')}`, {
      details: { methods },
    })
  }
  app.setNotFoundHandler(refuse)
  return refuse
}
