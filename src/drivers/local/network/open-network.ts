import { writeFile } from 'node:fs/promises'
import type { Paths } from '../paths.ts'
import { openFirewall } from './firewall.ts'

interface Options {
  paths: Pick<Paths, 'firewallTable' | 'interfacePrefix'>
  resolvers: string[]
  allowedAddresses: string[]
}

/** Enables forwarding and the firewall of computers. Returns a sentence for each thing that the kernel lacks. */
export async function openNetwork({ paths, resolvers, allowedAddresses }: Options): Promise<string[]> {
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1')
  const countsConnections = await openFirewall({
    table: paths.firewallTable,
    interfacePrefix: paths.interfacePrefix,
    resolvers,
    allowed: allowedAddresses,
  })
  if (countsConnections) return []
  return [
    'This kernel cannot count connections (nft_connlimit), so one computer can fill the table of connections of the host.',
  ]
}
