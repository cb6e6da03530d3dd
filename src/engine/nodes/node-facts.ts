import { statfsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { isWildcard, listenAddress } from '../../config/listen-address.ts'
import type { Settings } from '../../config/settings.ts'
import type { NodeFacts } from './claim-node.ts'

/** Returns where this server is reached ('' if the settings do not say), and what its host has. */
export function nodeFacts(settings: Settings): NodeFacts {
  const { blocks, bsize } = statfsSync(settings.dataDirectory)
  return {
    address: settings.nodeAddress ?? settings.publicUrl ?? (isWildcard(settings.host) ? '' : listenAddress(settings)),
    cpus: availableParallelism(),
    memory_bytes: totalmem(),
    disk_bytes: blocks * bsize,
  }
}
