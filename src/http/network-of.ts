import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'

/** Returns the network that a request comes from, as reported by trusted proxies. */
export function networkOfRequest({ ip, socket }: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  return networkOf(ip, socket.remoteAddress)
}

/**
 * Returns the range of addresses that one client controls: an IPv4 address, or an IPv6 /64. `reported` may come from a
 * proxy, and may contain a port and brackets; when it is not an address, the address of the connection counts, so that
 * no client can make up networks. Returns `unknown` when neither is an address.
 */
export function networkOf(reported: string, connection: string | undefined): string {
  const address = [bare(reported), bare(connection ?? '')].find((one) => isIP(one) !== 0)
  if (address === undefined) return 'unknown'
  if (isIP(address) === 4) return address
  const [head = '', tail] = address.split('%')[0]!.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail ? tail.split(':') : []
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  const parts = tail === undefined ? before : [...before, ...zeros, ...after]
  return parts
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, ''))
    .join(':')
}

/** Returns an address without port and brackets; for an IPv4-mapped IPv6 address, the IPv4 address. */
function bare(text: string): string {
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? []
  const [, withPort] = /^([\d.]+):\d+$/.exec(text) ?? []
  const address = (bracketed ?? withPort ?? text).toLowerCase()
  const [, mapped] = /^::ffff:([\d.]+)$/.exec(address) ?? []
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(address) ?? []
  if (high === undefined || low === undefined) return mapped ?? address
  return [high, low].flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255]).join('.')
}
