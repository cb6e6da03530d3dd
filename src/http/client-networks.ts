import type { IncomingMessage } from 'node:http'
import { BlockList, isIPv6 } from 'node:net'
import { networkOf } from './network-of.ts'

/** Tells which network a client comes from, also of connections that are no request of the API. */
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

  /** Of the other end of a connection; undefined when that is a proxy, behind which anybody may be. */
  ofConnection(address: string | undefined): string | undefined {
    return this.#isProxy(address) ? undefined : networkOf(address ?? '', undefined)
  }

  /** Of who sent a request: the last address that no proxy has, as far as proxies tell. */
  ofRequest({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>): string {
    const said = String(headers['x-forwarded-for'] ?? '')
    if (said === '' || !this.#isProxy(socket.remoteAddress)) return networkOf(socket.remoteAddress ?? '', undefined)
    const hops = said.split(',').map((hop) => hop.trim())
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
