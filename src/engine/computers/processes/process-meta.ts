import type { ProcessRow } from '../../../db/schema.ts'

/** What goes with a process to the driver, so that a server that knows nothing of it can record it. */
export interface ProcessMeta {
  accountId: string
  /** Who had it started. */
  tokenId: string
  /** True for work of the server itself, which costs nothing. */
  isServer: boolean
  name: string
  kind: ProcessRow['kind']
  command: string
  /** True for one that ends when its client is gone for good. */
  attended: boolean
}

/** Longest command that a record keeps. */
const keptCommandLength = 4096

export function processMeta(meta: ProcessMeta): ProcessMeta & Record<string, unknown> {
  return { ...meta, command: meta.command.slice(0, keptCommandLength) }
}
