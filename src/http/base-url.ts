import { hostname } from 'node:os'
import type { FastifyRequest } from 'fastify'
import { isLoopback } from '../config/settings.ts'
import type { Context, ServerState } from '../engine/context.ts'
import { ClientNetworks } from './client-networks.ts'

/** The part of a request that is examined. */
type Asked = Pick<FastifyRequest, 'protocol' | 'host'> & {
  raw: { socket?: { localAddress?: string | undefined; remoteAddress?: string | undefined } }
}

/**
 * Returns a function that returns the origin by which the client of a request reaches the server, for documents that
 * name it: `CARREL_PUBLIC_URL` if it is set; otherwise the requested origin, if it is an address or name of this
 * machine or is reported by a trusted proxy. Any other name in a request is never repeated: it would appear in commands
 * that users copy, and in responses that a cache serves to others.
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

/** Returns an address as it is written in a URL. */
function inUrl(address: string): string {
  const bare = address.replace(/^::ffff:/, '')
  return bare.includes(':') ? `[${bare}]` : bare
}

/** A name or an address, and a port. */
const isHost = /^(?:[a-zA-Z0-9._-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::\d{1,5})?$/
