import type { RouteOptions } from 'fastify'
import type { Scope } from '../engine/identity/accounts/tokens.ts'
import type { SocketEndpoint } from './sockets/socket-endpoint.ts'
import type { Surface, Topic } from './surface.ts'

/** A route as documents show it. */
export interface CataloguedRoute {
  /** Such as `GET /v1/workspaces/:workspaceId`. */
  name: string
  surface: Surface
  topic: Topic
  options: RouteOptions
}

/** A WebSocket with the address and the scope of its route. */
export interface CataloguedSocket {
  path: string
  endpoint: SocketEndpoint
  surface: Surface
  scope: Scope | 'any'
}

/** Every route that the surfaces have added, with its documentation. */
export class RouteCatalog {
  readonly surfaces: readonly Surface[]
  readonly #routes = new Map<string, CataloguedRoute>()

  constructor(surfaces: readonly Surface[]) {
    this.surfaces = surfaces
  }

  /** Adds a route. Throws if its address belongs to another surface: its errors would have that surface's envelope. */
  add(options: RouteOptions, surface: Surface, topic: Topic): void {
    if (options.method === 'HEAD') return
    const name = `${String(options.method)} ${options.url}`
    const owner = options.config?.surface
    if (owner !== surface)
      throw new Error(`Cannot add ${name} to ${surface.name}: the address belongs to ${owner?.name}`)
    this.#routes.set(name, { name, surface, topic, options })
  }

  find(name: string): CataloguedRoute | undefined {
    return this.#routes.get(name)
  }

  /** Returns the documented routes of a surface's contract by topic, including those that another surface serves. */
  topicsOf(surface: Surface): { topic: Topic; routes: CataloguedRoute[] }[] {
    const routes = [...this.#routes.values()].filter(({ options }) => options.config?.documentation)
    return surface.topics.map((topic) => ({
      topic,
      routes: routes.filter((route) => route.topic === topic || topic.shared?.includes(route.name)),
    }))
  }

  get sockets(): CataloguedSocket[] {
    return [...this.#routes.values()].flatMap(({ options: { url, config = {} }, surface }) =>
      config.socket ? [{ path: url, endpoint: config.socket, surface, scope: config.scope ?? 'compute' }] : [],
    )
  }
}
