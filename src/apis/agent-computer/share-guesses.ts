import type { FastifyRequest } from 'fastify'
import { openShare, type OpenedShare } from '../../engine/computers/shares/open-share.ts'
import type { Engine } from '../../engine/engine.ts'
import { asCarrelError } from '../../errors.ts'
import { NetworkCounter } from '../../http/network-counter.ts'
import { networkOfRequest } from '../../http/network-of.ts'
import { assertWithin } from '../../http/rate-limits.ts'

/** Opens shares for strangers. Tokens that open nothing count against the network that sends them, as sign-ins do. */
export class ShareGuesses {
  readonly #engine: Engine
  readonly #counter: NetworkCounter | undefined

  constructor(engine: Engine) {
    const { signInsPerMinute } = engine.settings
    this.#engine = engine
    this.#counter = signInsPerMinute === 0 ? undefined : new NetworkCounter(signInsPerMinute)
  }

  /** Returns the share of a token. Throws what `openShare` throws, and `rate_limited` after too many guesses. */
  async open(request: FastifyRequest, token: string): Promise<OpenedShare> {
    const network = networkOfRequest(request)
    const foreseen = this.#counter?.foresee(network)
    if (foreseen) assertWithin(foreseen)
    try {
      return await openShare(this.#engine, token)
    } catch (error) {
      if (asCarrelError(error).code === 'not_found') this.#counter?.count(network)
      throw error
    }
  }
}
