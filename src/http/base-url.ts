import { hostname } from 'node:os'
import type { FastifyRequest } from 'fastify'
import { isLoopback } from '../config/settings.ts'
import type { Context, ServerState } from '../engine/context.ts'
import { ClientNetworks } from './client-networks.ts'

/** What is looked at of a request. */
type Asked = Pick<FastifyRequest, 'protocol' | 'host'> & {
  raw: { socket?: { localAddress?: string | undefined; remoteAddress?: string | undefined } }
}

/**
 * Tells the origin by which the client of a request reaches the server, for whatever names it: `CARREL_PUBLIC_URL` where that is set.
 * Otherwise the one that was asked, where it is an address or a name of this machine, or a trusted proxy says it. Whatever else a request
 * calls the server is not repeated: it would stand in commands that people copy, and in what a cache gives to others.
 */
export function baseUrls({ settings, server: { origin } }: BaseUrlParts): (request: Asked) => string {
  const { publicUrl, trustedProxies } = settings
  const networks = new ClientNetworks(trustedProxies)
  const ownName = hostname().toLowerCase()
  return ({ protocol, host, raw: { socket } }) => {
    if (publicUrl !== undefined) return publicUrl
    const url = isHost.test(host) && /^https?$/.test(protocol) ? URL.parse(`${protocol}://${host}`) : null
    if (!url) return origin()
    const isOwn =
      isLoopback(url.hostname) || url.hostname === ownName || url.hostname === inUrl(socket?.localAddress ?? '')
    const isProxy = socket?.remoteAddress !== undefined && networks.ofConnection(socket.remoteAddress) === undefined
    return isOwn || isProxy ? url.origin : origin()
  }
}

interface BaseUrlParts extends Pick<Context, 'settings'> {
  server: Pick<ServerState, 'origin'>
}

/** An address as it stands in a URL. */
function inUrl(address: string): string {
  const bare = address.replace(/^::ffff:/, '')
  return bare.includes(':') ? `[${bare}]` : bare
}

/** A name or an address, and a port. */
const isHost = /^(?:[a-zA-Z0-9._-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::\d{1,5})?$/
