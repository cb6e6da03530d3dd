import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'

/** The network that a request comes from, as far as the proxies that are trusted tell. */
export function networkOfRequest({ ip, socket }: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  return networkOf(ip, socket.remoteAddress)
}

/**
 * What one caller holds of the addresses: one of IPv4, a /64 of IPv6. `said` may come of a proxy, which writes ports and brackets at
 * times; where it is no address, the connection's own counts, so that nobody makes up a network of theirs.
 */
export function networkOf(said: string, connection: string | undefined): string {
  const address = [bare(said), bare(connection ?? '')].find((one) => isIP(one) !== 0)
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

/** Without port and brackets; of IPv4 within IPv6 the former. */
function bare(text: string): string {
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? []
  const [, withPort] = /^([\d.]+):\d+$/.exec(text) ?? []
  const address = (bracketed ?? withPort ?? text).toLowerCase()
  const [, mapped] = /^::ffff:([\d.]+)$/.exec(address) ?? []
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(address) ?? []
  if (high === undefined || low === undefined) return mapped ?? address
  return [high, low].flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255]).join('.')
}
