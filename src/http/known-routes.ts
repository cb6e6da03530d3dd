import type { FastifyInstance } from 'fastify'
import { nearTo } from './similarity.ts'

/** Which methods an address takes, to tell a wrong method from a wrong address. Hears of every route that is added after it. */
export class KnownRoutes {
  readonly #routes: { url: string; address: RegExp; method: string }[] = []

  constructor(app: Pick<FastifyInstance, 'addHook'>) {
    app.addHook('onRoute', ({ url, method }) => {
      const address = new RegExp(
        `^${url
          .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
          .replaceAll(/:\w+/g, '[^/]+')
          .replaceAll('*', '.*')}/?$`,
      )
      for (const one of [method].flat()) this.#routes.push({ url, address, method: one })
    })
  }

  /** Empty for an address that is none. */
  methodsOf(path: string): string[] {
    return this.#routes.filter(({ address }) => address.test(path)).map(({ method }) => method)
  }

  /** The routes that are most like a path that is none, such as `POST /execute`; the nearest first, three at most. */
  near(path: string): string[] {
    const routes = this.#routes.filter(({ method }) => method !== 'HEAD')
    return nearTo(path, routes, ({ url }) => url).map(({ url, method }) => `${method} ${url}`)
  }
}
