import type { FastifyInstance } from 'fastify'

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
    return this.#routes
      .filter(({ method }) => method !== 'HEAD')
      .map(({ url, method }) => ({ route: `${method} ${url}`, likeness: likeness(path, url) }))
      .filter((one) => one.likeness >= leastLikeness)
      .toSorted((a, b) => b.likeness - a.likeness)
      .slice(0, mostNear)
      .map(({ route }) => route)
  }
}

/** The share of pairs of neighbouring letters that two texts have in common (Dice's coefficient), 0 to 1. */
function likeness(one: string, other: string): number {
  const [pairs, others] = [pairsOf(one), pairsOf(other)]
  return (2 * pairs.intersection(others).size) / (pairs.size + others.size || 1)
}

function pairsOf(text: string): Set<string> {
  const letters = text.toLowerCase().slice(0, mostLetters)
  return new Set(Array.from({ length: Math.max(0, letters.length - 1) }, (_, at) => letters.slice(at, at + 2)))
}

const leastLikeness = 0.55
const mostNear = 3
/** No route is nearly as long. */
const mostLetters = 100
