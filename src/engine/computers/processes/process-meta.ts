import type { ProcessRow } from '../../../db/schema.ts'

/** What the driver keeps with a process, so that a server that knows nothing of the process can record it. */
export interface ProcessMeta {
  accountId: string
  /** The token that started the process. */
  tokenId: string
  /** True for work of the server itself, which is not charged. */
  isServer: boolean
  name: string
  kind: ProcessRow['kind']
  command: string
  /** True for a process that ends when its client does not come back. */
  attended: boolean
}

/** How much of a command a record keeps, in characters. */
const maxCommandLength = 4096

export function processMeta(meta: ProcessMeta): ProcessMeta & Record<string, unknown> {
  return { ...meta, command: meta.command.slice(0, maxCommandLength) }
}
