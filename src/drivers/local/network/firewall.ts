import { run } from '../system/run.ts'
import { closedRanges } from './addresses.ts'

interface FirewallOptions {
  /** Name of the nftables table. */
  table: string
  /** Name prefix of the interfaces that the rules apply to. */
  interfacePrefix: string
  /** Resolvers that computers may use on port 53, in any range. */
  resolvers: string[]
  /** Destinations that the operator allows, as `address[/bits][:port]`. */
  allowed: string[]
  /** False where the kernel cannot count connections. */
  countsConnections?: boolean
}

/**
 * Sets the firewall rules that confine all computers, outside of them and anew at each start. The rules match the name
 * of the host's end of a computer's link, so that they do not change when computers come or go. A computer reaches the
 * internet, the resolvers and what the operator allows, with its own source address only; it reaches neither the host,
 * nor another computer, nor private ranges. Connections are limited for each computer, since all of them share one
 * table of the host. Returns false where the kernel cannot count connections; all other rules hold.
 */
export async function openFirewall(options: FirewallOptions): Promise<boolean> {
  const set = (countsConnections: boolean) =>
    run('nft', ['-f', '-'], { input: ruleset({ ...options, countsConnections }) })
  try {
    await set(true)
    return true
  } catch {
    await set(false)
    return false
  }
}

export function ruleset({
  table,
  interfacePrefix,
  resolvers,
  allowed,
  countsConnections = true,
}: FirewallOptions): string {
  const inside = `iifname "${interfacePrefix}*"`
  const ipv4 = resolvers.filter((address) => !address.includes(':'))
  return `
table inet ${table}
delete table inet ${table}
table inet ${table} {
  ${countsConnections ? connections : ''}
  chain input {
    type filter hook input priority -10; policy accept;
    ${inside} drop
  }
  chain forward {
    type filter hook forward priority -10; policy accept;
    ${inside} meta nfproto ipv6 drop
    ${inside} fib saddr . iif oif missing drop
    ${inside} oifname "${interfacePrefix}*" drop
    ${ipv4.length > 0 ? `${inside} ip daddr { ${ipv4.join(', ')} } meta l4proto { tcp, udp } th dport 53 goto out` : ''}
    ${allowed.map((entry) => `${inside} ${destination(entry)} goto out`).join('\n    ')}
    ${inside} ip daddr { ${closedRanges.join(', ')} } drop
    ${inside} goto out
    oifname "${interfacePrefix}*" ct state established,related accept
    oifname "${interfacePrefix}*" drop
  }
  chain out {
    ${countsConnections ? `ct state new add @connections { ip saddr ct count over ${connectionsPerComputer} } drop` : ''}
    accept
  }
  chain nat {
    type nat hook postrouting priority 100; policy accept;
    ${inside} masquerade
  }
}
`
}

/** Limit in the host's table, which keeps ended connections for some minutes: more than a crawler needs. */
const connectionsPerComputer = 8_192
const connections = 'set connections { type ipv4_addr; size 65535; flags dynamic; }'

function destination(entry: string): string {
  const [address, port] = entry.split(':')
  return port ? `ip daddr ${address} meta l4proto { tcp, udp } th dport ${port}` : `ip daddr ${address}`
}
