import { run } from '../system/run.ts'
import { closedRanges } from './addresses.ts'

interface FirewallOptions {
  /** Name of the nftables table, and the prefix of the interfaces that it holds in. */
  table: string
  interfacePrefix: string
  /** Resolvers that computers may ask on port 53, whatever range they are in. */
  resolvers: string[]
  /** `address[/bits][:port]` that the operator opened. */
  allowed: string[]
  /** Off where the kernel cannot. */
  countsConnections?: boolean
}

/**
 * The rules that hold every computer in, by the name of the host's end of its link, so that no rule has to change when
 * one comes or goes: out to the internet, to the resolvers and to what the operator opened; never to the host itself,
 * to another computer, or to private ranges; and with no other source address than its own. They live outside the computers and are set anew at each start.
 * Connections are counted for each computer, since all of them are in one table of the host. False where the kernel cannot
 * count them: all else holds.
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

/** In the table of the host at the same time, with those that ended some minutes ago: more than a crawler needs. */
const connectionsPerComputer = 8_192
const connections = 'set connections { type ipv4_addr; size 65535; flags dynamic; }'

function destination(entry: string): string {
  const [address, port] = entry.split(':')
  return port ? `ip daddr ${address} meta l4proto { tcp, udp } th dport ${port}` : `ip daddr ${address}`
}
