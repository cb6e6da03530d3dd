import type { IncomingMessage, ServerResponse } from 'node:http'
import { Exchange, StaleConnection } from './exchange.ts'
import type { TokenFinder } from './kept-outside.ts'
import type { PreviewTarget } from './preview-name.ts'
import type { Upstream } from './upstream.ts'
import type { Upstreams } from './upstreams.ts'

interface Options {
  upstreams: Upstreams
  target: PreviewTarget
  request: IncomingMessage
  response: ServerResponse
  ownTokens: TokenFinder
}

/**
 * Sends a request on into a computer and its answer back; resolves when the answer is through. Rejects when there is
 * none that can be sent on: what the server in the computer says is never trusted to be valid.
 */
export async function forwardRequest({ upstreams, target, request, response, ownTokens }: Options): Promise<void> {
  const keep = (upstream: Upstream, forMs: number) => upstreams.keep(target, upstream, forMs)
  const kept = upstreams.take(target)
  if (kept) {
    try {
      return await Exchange.run({ upstream: kept, request, response, ownTokens, keep })
    } catch (error) {
      // The server closed it in the same moment.
      if (!(error instanceof StaleConnection) || request.socket.destroyed) throw error
    }
  }
  await Exchange.run({ upstream: await upstreams.open(target), request, response, ownTokens, keep })
}
