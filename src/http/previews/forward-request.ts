import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Shares } from '../../engine/budgets/descriptor-budget.ts'
import type { AccessiblePort } from '../../engine/computers/ports/find-exposed.ts'
import { onDisconnect } from '../on-disconnect.ts'
import { Exchange, StaleConnection } from './exchange.ts'
import type { TokenFinder } from './without-tokens.ts'
import type { Upstream } from './upstream.ts'
import type { Upstreams } from './upstreams.ts'

interface Options {
  upstreams: Upstreams
  target: AccessiblePort
  request: IncomingMessage
  response: ServerResponse
  ownTokens: TokenFinder
  /** Whose budgets a connection that is kept for the next request counts against. */
  holders: Shares
}

/**
 * Forwards a request to a server in a computer, and its response to the client. Resolves when the response has been
 * sent. Rejects when the response cannot be relayed: what that server sends is never trusted to be valid.
 */
export async function forwardRequest(options: Options): Promise<void> {
  const { upstreams, target, request, response, ownTokens, holders } = options
  const keep = (upstream: Upstream, forMs: number) => upstreams.keep(target, upstream, { forMs, holders })
  const kept = upstreams.take(target)
  if (kept) {
    try {
      return await Exchange.run({ upstream: kept, request, response, ownTokens, keep })
    } catch (error) {
      // The server closed the connection just as the request was sent.
      if (!(error instanceof StaleConnection) || request.socket.destroyed) throw error
    }
  }
  const upstream = await openFor(request.socket, (signal) => upstreams.open(target, signal))
  await Exchange.run({ upstream, request, response, ownTokens, keep })
}

/** Opens a connection, and gives it up when the client disconnects before it is accepted. */
async function openFor(client: Socket, open: (signal: AbortSignal) => Promise<Upstream>): Promise<Upstream> {
  const gone = new AbortController()
  const stopWatching = onDisconnect(client, () => gone.abort())
  try {
    return await open(gone.signal)
  } finally {
    stopWatching()
  }
}
