import type { ComputerOperation } from './operation.ts'

/** A computer that keeps its files until it is deleted. */
export interface Computer {
  id: string
  /** Its name in the workspace, which works wherever the id does. */
  handle: string
  /** Its name for people. */
  display_name: string
  image_id: string
  source_kind: 'image' | 'snapshot'
  source_snapshot_id: string | null
  /** `custom` for a size of its own. */
  size_preset: string
  requested_memory_mib: number
  requested_storage_bytes: number
  state: string
  /** Why it failed; null in every other state. */
  failure_reason: string | null
  /** Why the server stopped it, such as `out_of_credits`; null for a stop on request, and while it runs. */
  state_reason: string | null
  /** Its page, which an access session of the kind `browser` opens. */
  primary_url: string
  created_at: string
  updated_at: string
}

/** A computer, and what is being done to it; no operation where there is nothing to do. */
export interface BegunOnComputer {
  computer: Computer
  operation?: ComputerOperation
}

export interface BegunResize extends BegunOnComputer {
  /** Whether the computer uses too much memory to get the size as it runs, so that the operation restarts it. */
  restart_required: boolean
}

/** Copies of one computer, all of one moment. */
export interface BegunFork {
  computers: Computer[]
  operation: ComputerOperation
}

export interface ComputerUsage {
  runtime_seconds: number
  cpu_hours: number
  ram_gib_hours: number
  hot_storage_bytes: number
  cold_storage_bytes: number
  updated_at: string
}

/** Whether a computer of some size fits on the server now. */
export interface Capacity {
  available: boolean
  /** Why not, such as `insufficient_memory`. */
  reason_code?: string
  /** What is not promised to other computers. */
  available_memory_mib: number
  available_storage_bytes: number
  /** The largest computer that fits now. */
  max_memory_mib: number
  max_storage_bytes: number
  requested_memory_mib: number
  requested_storage_bytes: number
  /** `custom` for a size of its own. */
  size_preset: string
}

/** Where a computer is reached. */
export interface ComputerConnection {
  handle: string
  /** Its page. */
  web_url: string
  /** Its desktop; empty where the image has none. */
  vnc_url: string
  /** Whether the server has a port for SSH. */
  ssh_available: boolean
  /** Where a plain SSH client connects; null where computers have no ports of their own. */
  ssh_host: string | null
  ssh_port: number | null
  ssh_user: string | null
  /** The key that the computer shows, for `known_hosts`. */
  ssh_host_public_key: string | null
}

/** A key that opens one computer by SSH for some minutes, and where to connect by TLS. */
export interface SshCredentials {
  computer_id: string
  computer_handle: string
  ssh_user: string
  edge_host: string
  edge_port: number
  /** The server name to ask for in the TLS handshake. */
  sni: string
  /** In the format of OpenSSH. */
  client_private_key: string
  client_public_key: string
  /** For the `-cert.pub` file beside the private key. */
  client_certificate: string
  guest_host_public_key: string
  expires_at: string
}
