import type { FastifyInstance } from 'fastify'
import { pathPattern } from './path-pattern.ts'
import { mostSimilar } from './similarity.ts'

/**
 * Knows the methods of every path, to distinguish a wrong method from a wrong path. Covers the routes added after it.
 */
export class KnownRoutes {
  readonly #routes: { url: string; matches: ReturnType<typeof pathPattern>; method: string }[] = []

  constructor(app: Pick<FastifyInstance, 'addHook'>) {
    app.addHook('onRoute', ({ url, method }) => {
      const matches = pathPattern(url)
      for (const one of [method].flat()) this.#routes.push({ url, matches, method: one })
    })
  }

  /** Returns the methods that routes accept at a path; none for an unknown path. */
  methodsOf(path: string): string[] {
    return this.#routes.filter(({ matches }) => matches(path) !== undefined).map(({ method }) => method)
  }

  /** Returns at most three routes that resemble an unknown path, such as `POST /execute`; the most similar first. */
  near(path: string): string[] {
    const routes = this.#routes.filter(({ method }) => method !== 'HEAD')
    return mostSimilar(path, routes, ({ url }) => url).map(({ url, method }) => `${method} ${url}`)
  }
}
