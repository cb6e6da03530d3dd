import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Shares } from '../../engine/budgets/descriptor-budget.ts'
import { onDisconnect } from '../on-disconnect.ts'
import { Exchange, StaleConnection } from './exchange.ts'
import type { TokenFinder } from './without-tokens.ts'
import type { PreviewTarget } from './preview-name.ts'
import type { Upstream } from './upstream.ts'
import type { Upstreams } from './upstreams.ts'

interface Options {
  upstreams: Upstreams
  target: PreviewTarget
  request: IncomingMessage
  response: ServerResponse
  ownTokens: TokenFinder
  /** Who holds a connection that is kept for the next request. */
  holders: Shares
}

/**
 * Sends a request on into a computer and its answer back; resolves when the answer is through. Rejects when there is
 * none that can be sent on: what the server in the computer says is never trusted to be valid.
 */
export async function forwardRequest(options: Options): Promise<void> {
  const { upstreams, target, request, response, ownTokens, holders } = options
  const keep = (upstream: Upstream, forMs: number) => upstreams.keep(target, upstream, { forMs, holders })
  const kept = upstreams.take(target)
  if (kept) {
    try {
      return await Exchange.run({ upstream: kept, request, response, ownTokens, keep })
    } catch (error) {
      // The server closed it in the same moment.
      if (!(error instanceof StaleConnection) || request.socket.destroyed) throw error
    }
  }
  const upstream = await openFor(request.socket, (signal) => upstreams.open(target, signal))
  await Exchange.run({ upstream, request, response, ownTokens, keep })
}

/** A client that leaves meanwhile leaves no connection behind that nobody has taken yet. */
async function openFor(client: Socket, open: (signal: AbortSignal) => Promise<Upstream>): Promise<Upstream> {
  const gone = new AbortController()
  const callOff = onDisconnect(client, () => gone.abort())
  try {
    return await open(gone.signal)
  } finally {
    callOff()
  }
}
