import type { IncomingMessage } from 'node:http'
import { BlockList, isIPv6 } from 'node:net'
import { networkOf } from './network-of.ts'

/** Determines the network that a client comes from, also for connections outside the API, such as previews. */
export class ClientNetworks {
  readonly #proxies = new BlockList()

  /** @param trustedProxies as in CARREL_TRUSTED_PROXIES: `address[/bits]`, or a name for several */
  constructor(trustedProxies: readonly string[]) {
    for (const range of trustedProxies.flatMap((one) => named[one] ?? [one])) {
      const [address = '', bits] = range.split('/')
      const isSix = isIPv6(address)
      this.#proxies.addSubnet(address, Number(bits ?? (isSix ? 128 : 32)), isSix ? 'ipv6' : 'ipv4')
    }
  }

  /** Returns the network of a connection's other end; undefined for a proxy, which may serve any client. */
  ofConnection(address: string | undefined): string | undefined {
    return this.#isProxy(address) ? undefined : networkOf(address ?? '', undefined)
  }

  /** Returns the network of the client that sent a request: the last forwarded address that is not a trusted proxy. */
  ofRequest({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>): string {
    const forwarded = String(headers['x-forwarded-for'] ?? '')
    if (forwarded === '' || !this.#isProxy(socket.remoteAddress))
      return networkOf(socket.remoteAddress ?? '', undefined)
    const hops = forwarded.split(',').map((hop) => hop.trim())
    const client = hops.findLast((hop) => !this.#isProxy(hop)) ?? hops[0]!
    return networkOf(client, socket.remoteAddress)
  }

  #isProxy(address: string | undefined): boolean {
    if (address === undefined || address === '') return false
    return this.#proxies.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
  }
}

const named: Record<string, string[]> = {
  loopback: ['127.0.0.1/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}
