import type { FastifyInstance } from 'fastify'

/** Which methods an address takes, to tell a wrong method from a wrong address. Hears of every route that is added after it. */
export class KnownMethods {
  readonly #routes: { address: RegExp; method: string }[] = []

  constructor(app: Pick<FastifyInstance, 'addHook'>) {
    app.addHook('onRoute', ({ url, method }) => {
      const address = new RegExp(
        `^${url
          .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
          .replaceAll(/:\w+/g, '[^/]+')
          .replaceAll('*', '.*')}/?$`,
      )
      for (const one of [method].flat()) this.#routes.push({ address, method: one })
    })
  }

  /** Empty for an address that is none. */
  of(path: string): string[] {
    return this.#routes.filter(({ address }) => address.test(path)).map(({ method }) => method)
  }
}
