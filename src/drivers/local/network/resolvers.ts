import { readFileSync } from 'node:fs'
import { isIPv4 } from 'node:net'

/** Public resolvers, for a host whose own resolvers listen only on its loopback address. */
const publicResolvers = ['1.1.1.1', '9.9.9.9']

/**
 * Returns up to three name servers for computers: those of the host that are reachable from outside it, or public ones.
 */
export function findResolvers(files = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']): string[] {
  for (const file of files) {
    const servers = nameServers(file).filter((address) => isIPv4(address) && !address.startsWith('127.'))
    if (servers.length > 0) return servers.slice(0, 3)
  }
  return publicResolvers
}

function nameServers(file: string): string[] {
  try {
    return [...readFileSync(file, 'utf8').matchAll(/^nameserver\s+(\S+)/gm)].map((match) => match[1]!)
  } catch {
    return []
  }
}
