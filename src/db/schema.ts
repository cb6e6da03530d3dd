/** The tables, as Kysely sees them. Times are Unix milliseconds, flags 0 or 1, JSON is text: the same on SQLite and PostgreSQL. */
export interface Database {
  accounts: AccountRow
  tokens: TokenRow
  computers: ComputerRow
  processes: ProcessRow
  ports: PortRow
  memory_files: MemoryFileRow
  events: EventRow
  operations: OperationRow
  idempotency: IdempotencyRow
  usage_intervals: UsageIntervalRow
}

export interface AccountRow {
  id: string
  name: string
  created_at: number
}

export interface TokenRow {
  id: string
  account_id: string
  /** SHA-256 of the token, hex. */
  hash: string
  name: string
  created_at: number
  expires_at: number | null
  revoked_at: number | null
}

export type ComputerState =
  | 'provisioning'
  | 'running'
  | 'stopped'
  | 'starting'
  | 'stopping'
  | 'restarting'
  | 'resizing'
  | 'paused'
  | 'failed'
  | 'deleting'

export interface ComputerRow {
  id: string
  /** null for one that waits in the warm pool. */
  account_id: string | null
  /** The sandbox name that it answers to, unique in its account; '' is the account's default. */
  session_key: string | null
  image: string
  state: ComputerState
  /** Why it is `failed` or `stopped`; null otherwise. */
  state_reason: string | null
  cpus: number
  memory_bytes: number
  disk_bytes: number
  pids: number
  /** 1 when its files go when it stops. */
  ephemeral: number
  /** null for never. */
  idle_timeout_ms: number | null
  expires_at: number | null
  created_at: number
  updated_at: number
  started_at: number | null
  last_active_at: number
}

export interface ProcessRow {
  id: string
  account_id: string
  computer_id: string
  /** What the caller calls it: unique among the computer's running ones. */
  name: string
  kind: 'exec' | 'background' | 'interactive' | 'kernel'
  command: string
  state: 'running' | 'ended'
  pid: number
  reason: string | null
  exit_code: number | null
  signal: string | null
  output_bytes: number
  truncated: number
  started_at: number
  ended_at: number | null
}

export interface PortRow {
  computer_id: string
  port: number
  created_at: number
}

export interface MemoryFileRow {
  account_id: string
  path: string
  content: Uint8Array
  size: number
  modified_at: number
}

export interface EventRow {
  id: string
  account_id: string | null
  computer_id: string | null
  type: string
  /** Who or what did it: a token's id, `lease`, `server`, `kernel`. */
  actor: string
  data: string
  at: number
}

export interface OperationRow {
  id: string
  account_id: string
  kind: string
  state: 'running' | 'succeeded' | 'failed'
  progress: number
  result: string | null
  error: string | null
  created_at: number
  updated_at: number
}

export interface IdempotencyRow {
  account_id: string
  key: string
  request_hash: string
  /** null while the first request runs. */
  status: number | null
  body: string | null
  created_at: number
}

export interface UsageIntervalRow {
  id: string
  account_id: string
  computer_id: string
  meter: 'compute'
  started_at: number
  /** Up to when it is known to have run; moves on while `open`. */
  ended_at: number
  open: number
}
