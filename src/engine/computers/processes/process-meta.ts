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
  /** True for a process that waits for the readers of its output, and continues without any. */
  detached?: boolean
  /** What was started, where lists show that in parts. */
  config?: ProcessConfig
}

export interface ProcessConfig {
  argv: string[]
  cwd: string
}

/** How much of a command a record keeps, in characters. */
const maxCommandLength = 4096

export function processMeta(meta: ProcessMeta): ProcessMeta & Record<string, unknown> {
  const { config, ...rest } = meta
  const fits = config !== undefined && JSON.stringify(config).length <= maxCommandLength
  return { ...rest, command: meta.command.slice(0, maxCommandLength), ...(fits ? { config } : {}) }
}

/**
 * The kinds of processes that serve a connection, and of which nothing is recorded: one by SSH, those who listen to the
 * computer's sound, a look at what runs, or an archive of files.
 */
const connectionKinds = ['ssh', 'sound', 'look', 'archive'] as const
export type ConnectionKind = (typeof connectionKinds)[number]

/** Returns whether a process serves a connection. */
export function isOfConnection({ meta }: { meta: Record<string, unknown> }): boolean {
  return connectionKinds.some((kind) => kind === meta['kind'])
}

/** Returns whether a process is one that a caller started: neither a kernel nor one that serves a connection. */
export function isOfCaller(process: { meta: Record<string, unknown> }): boolean {
  return process.meta['kind'] !== 'kernel' && !isOfConnection(process)
}
