import type { FastifyReply } from 'fastify'
import { limits } from '../../config/limits.ts'
import { openShare, type OpenedShare } from '../../engine/computers/shares/open-share.ts'
import type { Engine } from '../../engine/engine.ts'
import { asCarrelError } from '../../errors.ts'
import { NetworkCounter } from '../../http/network-counter.ts'
import { networkOfRequest } from '../../http/network-of.ts'
import { assertWithin, rateLimitHeaders } from '../../http/rate-limits.ts'
import type { Counted } from '../../http/request-counter.ts'

/** Opens shares for strangers, within limits for each network. */
export class ShareVisits {
  readonly #engine: Engine
  /** Tokens that open nothing, as wrong sign-ins. */
  readonly #guesses: NetworkCounter | undefined
  readonly #entries: NetworkCounter | undefined

  constructor(engine: Engine) {
    const { signInsPerMinute } = engine.settings
    this.#engine = engine
    if (signInsPerMinute === 0) return
    this.#guesses = new NetworkCounter(signInsPerMinute)
    this.#entries = new NetworkCounter(limits.shareEntriesPerMinute)
  }

  /** Returns the share of a token. Throws what `openShare` throws, and `rate_limited` after too many guesses. */
  async look(reply: FastifyReply, token: string): Promise<OpenedShare> {
    const network = networkOfRequest(reply.request)
    const foreseen = this.#guesses?.foresee(network)
    if (foreseen?.isOver) admit(reply, foreseen)
    try {
      return await openShare(this.#engine, token)
    } catch (error) {
      if (asCarrelError(error).code === 'not_found') admit(reply, this.#guesses?.count(network))
      throw error
    }
  }

  /** Returns the share of a token to a visitor who is about to open its computer. Throws as `look` does. */
  async enter(reply: FastifyReply, token: string): Promise<OpenedShare> {
    admit(reply, this.#entries?.count(networkOfRequest(reply.request)))
    return this.look(reply, token)
  }
}

/** Tells the client what is left of a limit. Throws `rate_limited`. */
function admit(reply: FastifyReply, counted: Counted | undefined): void {
  if (!counted) return
  reply.headers(rateLimitHeaders(counted))
  assertWithin(counted)
}
