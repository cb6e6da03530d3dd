import type { DriverLog } from '../../driver-log.ts'

export interface LocalDriverOptions {
  dataDirectory: string
  /** Name or path of the OCI runtime; crun or else runc when undefined. */
  runtime: string | undefined
  /** First two numbers of the /16 of computers' addresses. */
  network: string
  /** Private addresses that computers may reach, as `address[/bits][:port]`. */
  allowedAddresses: string[]
  /** Name servers for computers; those of the host when empty. */
  resolvers: string[]
  /** Number of network namespaces that are prepared ahead. */
  networkPoolSize: number
  /** Disk space that is reserved for the server; a share of the disk when undefined. */
  diskReserveBytes?: number | undefined
  /** Gets what an operator should know. */
  log?: DriverLog
}
