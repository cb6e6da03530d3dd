/**
 * The tables, as Kysely sees them. Times are Unix milliseconds, flags 0 or 1, JSON is text: the same on SQLite and
 * PostgreSQL.
 */
export interface Database {
  accounts: AccountRow
  users: UserRow
  identities: IdentityRow
  memberships: MembershipRow
  invitations: InvitationRow
  tokens: TokenRow
  magic_links: MagicLinkRow
  spent_refresh_tokens: SpentRefreshTokenRow
  computers: ComputerRow
  snapshots: SnapshotRow
  processes: ProcessRow
  ports: PortRow
  access_sessions: AccessSessionRow
  shares: ShareRow
  memory_files: MemoryFileRow
  events: EventRow
  operations: OperationRow
  idempotency: IdempotencyRow
  usage_intervals: UsageIntervalRow
  usage_remainders: UsageRemainderRow
  compute_marks: ComputeMarkRow
  usage_days: UsageDayRow
  spent: SpentRow
  ledger_books: LedgerBookRow
  ledger_transactions: LedgerTransactionRow
  ledger_entries: LedgerEntryRow
  ledger_holds: LedgerHoldRow
  spending_limits: SpendingLimitRow
  payments: PaymentRow
  person_settings: UserSettingsRow
  machine_payments: MachinePaymentRow
  spent_wallet_proofs: SpentWalletProofRow
  first_credits: FirstCreditRow
  ssh_keys: SshKeyRow
  ssh_certificates: SshCertificateRow
  ssh_ports: SshPortRow
  secrets: SecretRow
  deployment: DeploymentRow
  nodes: NodeRow
  duties: DutyRow
  uptime_hours: UptimeHourRow
  datasets: DatasetRow
  samples: SampleRow
  sample_tasks: SampleTaskRow
  sessions: SessionRow
  interactions: InteractionRow
}

/**
 * A text that identifies a user: an id, a mail address or a wallet. `engine/deletion/user-columns.ts` says what happens
 * to each.
 */
export type UserIdentifier = string & { readonly identifiesUser?: true }

export interface AccountRow {
  id: string
  name: string
  created_at: number
  /** The user who created a shared workspace; null when that user was deleted, and for every other account. */
  created_by: UserIdentifier | null
  /** 1 for a workspace that a user created beside the user's own, to be shared with others. */
  shared: number
  /**
   * When a shared workspace is deleted; null when none is scheduled. A user's own workspace is deleted with the user.
   */
  delete_at: number | null
  /** 1 for the first account, which the server was set up with; null for every other, so that it can be unique. */
  owner: number | null
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
  kind: TokenKind
  /** null for a token without a user, such as the first account's. */
  user_id: UserIdentifier | null
  /** Scopes, separated by spaces; null for everything. */
  scopes: string | null
  /** Precise to a minute. */
  last_used_at: number | null
  /** The session that this one was refreshed from; null for every other. */
  refreshed_from: string | null
  /** The API key that created this one, which ends with its parent; null for every other. */
  parent_id: string | null
  /** Of a family: the hash of the token for which the last used refresh token was issued; null for the first one. */
  replaced_hash: string | null
  /** Of a family: when the last used refresh token was issued, to the second; null before one was used. */
  given_at: number | null
}

/**
 * An `api_key` is for programs. A `family` is a sign-in whose access tokens are refreshed; its hash is of the `jti` of
 * the refresh token that was used last, or of the first one.
 */
export type TokenKind = 'session' | 'api_key' | 'family'

export interface UserRow {
  id: UserIdentifier
  /** The personal workspace. */
  account_id: string
  name: UserIdentifier
  /** In the form of `mailAddress`. */
  email: UserIdentifier | null
  created_at: number
  last_login_at: number | null
  /** When the user is deleted; null when no deletion is scheduled. */
  delete_at: number | null
}

/** One way in which a user has proved an identity. */
export interface IdentityRow {
  /** `email`, `github`, `wallet`, or the address of an issuer. */
  provider: string
  /** The address in the form of `mailAddress`, the wallet in lower case, the provider's number or `sub`. */
  subject: UserIdentifier
  user_id: UserIdentifier
  created_at: number
}

export interface MembershipRow {
  account_id: string
  user_id: UserIdentifier
  role: 'owner' | 'admin' | 'member'
  created_at: number
}

/** An invitation by mail, whose link makes the invited user a member. */
export interface InvitationRow {
  id: string
  /** SHA-256 of the code in the link, hex. */
  hash: string
  account_id: string
  /** In the form of `mailAddress`. */
  email: UserIdentifier
  /** Of `mailboxOf`. */
  mailbox: UserIdentifier
  role: MembershipRow['role']
  /** null for an invitation by a token without a user. */
  invited_by: UserIdentifier | null
  /** The network from which the sender signed up within a day, otherwise sent it; null after a day. */
  network: string | null
  created_at: number
  expires_at: number
  /** When the invitation was accepted or revoked. */
  ended_at: number | null
}

export interface MagicLinkRow {
  /** SHA-256 of the code in the link, hex. */
  hash: string
  /** In the form of `mailAddress`. */
  email: UserIdentifier
  /** Of `mailboxOf`. */
  mailbox: UserIdentifier
  /** The network of the request. */
  network: string
  /** 1 when nobody had signed in by the address before. */
  stranger: number
  /** 0 for a link that was created but not sent, so that the request does not reveal the difference. */
  sent: number
  created_at: number
  expires_at: number
  used_at: number | null
}

/** A used refresh token from before they were JWTs: a second use means that it was stolen. */
export interface SpentRefreshTokenRow {
  hash: string
  token_id: string
  spent_at: number
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

/**
 * The files of a `sandbox` are deleted when it stops; those of a `durable` computer stay. A `session` computer runs once,
 * as long as its session.
 */
export type Lifecycle = 'sandbox' | 'durable' | 'session'

export interface ComputerRow {
  id: string
  /** null for a computer in the warm pool. */
  account_id: string | null
  /** Unique in its account; '' is the account's default sandbox. null for one that waits in the warm pool. */
  name: string | null
  /** The node that has the computer: its server alone acts on the computer and writes this row. */
  node_id: string
  /** Grows each time that the computer gets another home, so that an earlier home's writes change nothing. */
  fence: number
  image: string
  state: ComputerState
  /** Why the computer is `failed` or `stopped`; null otherwise. */
  state_reason: string | null
  cpus: number
  memory_bytes: number
  disk_bytes: number
  pids: number
  /** What happens when it stops, is idle or is not paid for: `engine/lifecycle-policy.ts`. */
  lifecycle: Lifecycle
  /** null for never. */
  idle_timeout_ms: number | null
  expires_at: number | null
  created_at: number
  updated_at: number
  started_at: number | null
  last_active_at: number
  /** The name for people; null where the computer has none but `name`. */
  display_name: string | null
  /** The preset whose size the computer was created with; null for a size of its own. */
  size_preset: string | null
  /**
   * The snapshot that the computer was created from, which may be deleted since; null for one that was created from its
   * image.
   */
  snapshot_id: string | null
  /** What the computer used of its memory at earlier sizes: MiB times milliseconds. */
  memory_mib_ms: number
  /** How long the computer had run when that was counted, in milliseconds. */
  memory_counted_ms: number
  /** The public keys that it was created with, a line each; null for none. */
  authorized_keys: string | null
  /** When its files were last replaced by those of a snapshot; null for never. */
  restored_at: number | null
}

/** A public key that opens the computers of its account. */
export interface SshKeyRow {
  id: string
  account_id: string
  /** The key works as long as this user is a member of the account; null for a key of a token without a user. */
  user_id: UserIdentifier | null
  /** The API key that registered it, with which it ends; null for one that was registered by a sign-in. */
  token_id: string | null
  name: string
  /** The type and the key in base64, without a comment. */
  public_key: string
  /** `SHA256:` and the hash in base64, as `ssh-keygen -l` shows it. */
  fingerprint: string
  created_at: number
  last_used_at: number | null
}

/** A certificate that was issued for one computer, and opens it until it expires or this row is deleted. */
export interface SshCertificateRow {
  id: string
  account_id: string
  /** It ends with the membership of this user, and with the token that asked for it. */
  user_id: UserIdentifier | null
  token_id: string | null
  computer_id: string
  /** The registered key that it certifies, with which it ends; null for a key that was made with it. */
  ssh_key_id: string | null
  created_at: number
  expires_at: number
}

/** The TCP port on which a node leads to the SSH server of a computer. */
export interface SshPortRow {
  node_id: string
  port: number
  computer_id: string
}

/** The files of a computer at one moment. It outlives the computer. */
export interface SnapshotRow {
  id: string
  account_id: string
  /** The node that has the snapshot. */
  node_id: string
  computer_id: string
  /** The name of the computer when the snapshot was asked for. */
  computer_name: string | null
  /**
   * Since when the computer has had its files: when it was created or last restored. Snapshots of one computer that
   * agree in this share what they have in common.
   */
  files_since: number
  /** `fork`: taken for forks, and deleted once they exist. */
  kind: 'manual' | 'automatic' | 'fork'
  image: string
  state: 'creating' | 'ready' | 'failed' | 'deleting'
  /** null unless `failed`. */
  failure_reason: string | null
  /** What it holds beyond its image; null where the storage does not count it, and until it is ready. */
  size_bytes: number | null
  /** The part of that which no earlier snapshot with the same `files_since` has. */
  added_bytes: number | null
  /** For how long programs stood still; null until it is ready. */
  paused_ms: number | null
  /** The size of the computer. */
  memory_bytes: number
  disk_bytes: number
  size_preset: string | null
  created_at: number
  updated_at: number
  ready_at: number | null
  /** Until when its storage is charged. */
  measured_at: number
}

export interface ProcessRow {
  id: string
  account_id: string
  /** The node that the process ran on, which keeps its output. */
  node_id: string
  computer_id: string
  /** The caller's name for the process, unique among the running processes of the computer. */
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
  /** Size of the kept output on the disk; null while the process runs, and where it was not counted. */
  kept_bytes: number | null
  started_at: number
  ended_at: number | null
}

export interface PortRow {
  computer_id: string
  port: number
  created_at: number
  /** null for one that was published without a name. */
  name: string | null
  visibility: PortVisibility
  updated_at: number
}

/** A `public` port is for everybody who knows its address, a `private` one for those who may use its computer. */
export type PortVisibility = 'public' | 'private'

/** Access to one computer by a token of its own, which ends with the token or the share that it comes from. */
export interface AccessSessionRow {
  id: string
  account_id: string
  computer_id: string
  /** What the token opens. */
  kind: 'browser' | 'vnc' | 'ssh' | 'exec'
  /** SHA-256 of the token, hex. */
  hash: string
  /**
   * The token that created the session, or `user:` with the id of a user of a trusted issuer; null for a session of a
   * share.
   */
  token_id: string | null
  /** The share whose link opened the session; null for a session that a token created. */
  share_id: string | null
  /** The user of that token, or of the share; null for one without a user. */
  user_id: UserIdentifier | null
  /** The `started_at` of the computer when the session was created: the session ends with that run. */
  run_started_at: number
  created_at: number
  expires_at: number
  revoked_at: number | null
}

/** A link that opens one computer for whoever has it. */
export interface ShareRow {
  id: string
  account_id: string
  computer_id: string
  /** SHA-256 of the link's token, hex. */
  hash: string
  /** The token, encrypted: members see the link again in the list. */
  sealed_token: string
  /** 1 when the link opens the computer's page. */
  allow_browser: number
  /** 1 when the link opens the desktop. */
  allow_vnc: number
  /** The token that created the share, or `user:` with the id of a user of a trusted issuer. */
  token_id: string
  /** The user of that token, whose membership the share ends with; null for a token without a user. */
  user_id: UserIdentifier | null
  /** How many sessions the link has opened. */
  uses: number
  created_at: number
  /** null for a share that lasts until it is revoked. */
  expires_at: number | null
  /** null until the link has opened a session. */
  last_used_at: number | null
  revoked_at: number | null
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
  /** Who or what acted: a token's id, `user:` with a user's id, `lease`, `server`, `kernel`. */
  actor: UserIdentifier
  data: UserIdentifier
  at: number
}

export interface OperationRow {
  id: string
  account_id: string
  /** The node whose server does the work. */
  node_id: string
  /** What is done: a kind that `Operations` knows, such as `computer.create`. */
  kind: string
  state: 'running' | 'succeeded' | 'failed'
  /** From 0 to 1. */
  progress: number
  /** What came of it; null until it has succeeded. */
  result: string | null
  /** The code and the sentence of the failure; null unless it has failed. */
  error: string | null
  created_at: number
  updated_at: number
  /** What it works on, such as `computer`, and that thing's id. */
  resource_type: string
  resource_id: string
  /** The token that asked for it, for the audit log. */
  actor: string
  /** What the work needs to know beyond the resource. */
  input: string | null
  /** The Idempotency-Key of the request, so that a repeated one finds the operation; null without one. */
  request_key: string | null
  /** null while it runs. */
  ended_at: number | null
}

export interface IdempotencyRow {
  account_id: string
  key: string
  /** The node whose server carries the request out, or has, and which has its process. */
  node_id: string
  request_hash: string
  state: IdempotencyState
  /** HTTP status of the response; null unless `answered`. */
  status: number | null
  /** Body of the response; null unless `answered`. */
  body: string | null
  created_at: number
  /** Size of `body`. */
  bytes: number
  /**
   * The process of the request: the id reserved for it until the request is answered, afterwards null if it started
   * none.
   */
  process_id: string | null
}

/**
 * - `in_progress`: a request is working on the response;
 * - `answered`: the response is stored;
 * - `process`: the response is to be made from the result of the process, and no request is waiting for it;
 * - `dropped`: the request was answered, and its response is not stored any more.
 */
export type IdempotencyState = 'in_progress' | 'answered' | 'process' | 'dropped'

/**
 * In `computer_id` of usage that no computer caused: the column is not null, and giving it nulls would copy a table of
 * millions of rows.
 */
export const noComputer = ''

/**
 * In `token_id` of a limit or a sum that is the account's as a whole: the column is part of a key, which has no nulls.
 */
export const wholeAccount = ''

/** What is measured and has a price. */
export type Meter = 'compute' | 'browser' | 'neurons' | 'storage_hot' | 'storage_cold'

/** What was used in a span of time. Over when it is written, and not changed afterwards. */
export interface UsageIntervalRow {
  /** The economic fact, which is also the key of the transaction that charges it. */
  id: string
  account_id: string
  /** `noComputer` for what no computer used. */
  computer_id: string
  meter: Meter
  started_at: number
  ended_at: number
  /** In the meter's unit, see `config/price-book.ts`. */
  quantity: number
  /** What was charged; 0 while it has not come to a whole micro-dollar. */
  amount_micros: number
  /** The token that the work was done for, or `user:` with a user's id, who can be deleted; null where unknown. */
  token_id: string | null
  /** The name of the computer in its account at that time. */
  label: string | null
}

/** The processor time of a computer, as counted by the kernel. */
export interface ComputeMarkRow {
  computer_id: string
  account_id: string
  cpus: number
  /** The kernel's counter since the computer started; 0 while it does not run. */
  counter_micros: number
  /** Processor time of all runs, without what the runtime takes for starts. */
  used_micros: number
  /** For how long the computer ran in total. */
  open_ms: number
  at: number
}

/**
 * What was used on a day (UTC) of one meter: of everything, of a computer, by a key, under a label. Written with the
 * intervals that it sums up, each on the day in which it ended; intervals with a quantity of 0 do not count.
 */
export interface UsageDayRow {
  account_id: string
  dimension: 'all' | 'computer' | 'key' | 'label'
  /** Days since 1970. */
  day: number
  /**
   * `unknown` is usage without a computer, or with an unknown key or label; `rest` is the sum beyond the lines of a
   * day.
   */
  part: 'named' | 'unknown' | 'rest'
  /** The id of a computer or token, or a label, for `named`; '' otherwise. */
  value: string
  meter: Meter
  /** The name of a computer; null for other dimensions. */
  label: string | null
  intervals: number
  quantity: number
  amount_micros: number
}

/** What an account, or one of its tokens, spent in a day or a month (UTC). Written with the intervals that it sums up. */
export interface SpentRow {
  account_id: string
  /** `wholeAccount` for the account as a whole. */
  token_id: string
  period: 'day' | 'month'
  /** When the period begins. */
  since: number
  amount_micros: number
}

/** The part of a micro-dollar that is not charged yet: `remainder` of `per`. */
export interface UsageRemainderRow {
  account_id: string
  meter: Meter
  remainder: number
  per: number
}

export type BookKind = 'credit' | 'hold' | 'revenue' | 'promotions' | 'clearing' | 'unbilled' | 'write_off'

/** A ledger account, with the sum of its entries. */
export interface LedgerBookRow {
  id: string
  kind: BookKind
  /** The account that it belongs to; null for the operator's own ledger accounts. */
  account_id: string | null
  balance_micros: number
}

export type TransactionKind = 'grant' | 'topup' | 'usage' | 'hold' | 'capture' | 'release' | 'refund' | 'reversal'

/** Written once, never changed. Its entries add up to zero. */
export interface LedgerTransactionRow {
  id: string
  /** The economic fact that it records: one fact, one transaction, forever. */
  key: string
  kind: TransactionKind
  account_id: string
  /** What changed hands: the sum of its positive entries. */
  amount_micros: number
  /** For a refund or a reversal: what it takes back. */
  of_transaction: string | null
  data: string
  at: number
}

export interface LedgerEntryRow {
  transaction_id: string
  position: number
  book_id: string
  /** Positive adds to the ledger account. */
  amount_micros: number
}

export interface LedgerHoldRow {
  id: string
  account_id: string
  meter: Meter
  amount_micros: number
  created_at: number
  /** null while the hold is open. */
  settled_at: number | null
}

export interface SpendingLimitRow {
  account_id: string
  /** `wholeAccount` for the account as a whole. */
  token_id: string
  period: 'day' | 'month'
  limit_micros: number
  updated_at: number
}

/**
 * `open` until it is paid, `processing` while the money is on its way, `review` when money was received that could not
 * be credited, until the operator credits it or it is `dismissed`. A payment that failed or expired can still become
 * `paid`.
 */
export type PaymentState = 'open' | 'processing' | 'paid' | 'failed' | 'expired' | 'review' | 'dismissed'

/** One payment by one method. */
export interface PaymentRow {
  id: string
  account_id: string
  /** `stripe` or `play_money`. */
  method: string
  state: PaymentState
  /** The requested amount in US cents. */
  cents: number
  /** The key of the transaction that credits the payment; null until it is known. */
  key: string | null
  /** Stripe's Checkout session. */
  session_id: string | null
  /** Stripe's PaymentIntent; null until somebody pays. */
  intent_id: string | null
  created_at: number
  /** When the payment last changed, or its provider was last asked about it. */
  updated_at: number
  data: string
}

export interface UserSettingsRow {
  /** A user, or the account of a token without a user. */
  owner_id: UserIdentifier
  /** BCP 47. */
  locale: string
  /** A name from the time zone database. */
  timezone: string
  theme: 'system' | 'light' | 'dark'
  updated_at: number
}

/** A payment by the Machine Payments Protocol: recorded before money moves, so that none is lost. */
export interface MachinePaymentRow {
  challenge_id: string
  account_id: string
  method: 'tempo' | 'stripe'
  /** The transaction's hash, or the id of the PaymentIntent. */
  reference: string
  /** As it was issued, JSON. */
  challenge: string
  amount_cents: number
  bonus_micros: number
  /** `pending` while it is unknown whether money moved. */
  state: 'pending' | 'paid' | 'failed'
  /** The value of the `Payment-Receipt` header; null while there is none. */
  receipt: string | null
  created_at: number
  /** When the payment network was last asked about it. */
  looked_at: number
}

/** A wallet's proof that was used and does not work again. */
export interface SpentWalletProofRow {
  challenge_id: string
  /** When the proof would have expired anyway. */
  expires_at: number
}

/** Whether a user's own account got its first credit, as decided when the user signed up. */
export interface FirstCreditRow {
  account_id: string
  /** What a user has only one of: a mailbox, a wallet, or the subject at an issuer. */
  person: UserIdentifier
  /** The network of the sign-up; null after a day. */
  network: string | null
  /** 1 when the credit was given. */
  given: number
  decided_at: number
}

/** A secret that the servers of a database share, encrypted with a key that is not in the database. */
export interface SecretRow {
  name: string
  /** The key that encrypts it: the beginning of a hash. */
  key_id: string
  /** Base64url, like `ciphertext`. */
  nonce: string
  ciphertext: string
  created_at: number
}

/** The one row of what a database and all its servers are together. */
export interface DeploymentRow {
  /** Each data directory carries it too, so that no server uses the database of another deployment. */
  id: string
  created_at: number
}

/** A data directory with its computers. One server at a time serves it. */
export interface NodeRow {
  id: string
  /** Where other servers' callers reach it; '' before a server has claimed it. */
  address: string
  /** Grows with each server that claims the node: an earlier one acts no more. 0 before the first. */
  epoch: number
  /** Until when the node counts as served, by the clock of the database. */
  lease_until: number
  /** The host's processors, memory and disk, the latter where the computers are. */
  cpus: number
  memory_bytes: number
  disk_bytes: number
  created_at: number
}

/** Work that one node at a time does for the whole database. */
export interface DutyRow {
  name: string
  node_id: string
  /** By the clock of the database; another node takes the duty over afterwards. */
  lease_until: number
}

/** How a service of a node worked in one hour: how many checks found it in each state, and what the last one found. */
export interface UptimeHourRow {
  node_id: string
  slug: string
  /** The beginning of the hour. */
  starts_at: number
  operational: number
  degraded: number
  down: number
  last_status: 'operational' | 'degraded' | 'down'
  last_response_ms: number
  checked_at: number
}

/** Tasks that sessions of environments are created from. It belongs to the server. */
export interface DatasetRow {
  id: string
  name: string
  /** '' if there is none. */
  description: string
  /** The samples of which a version is the latest: counted as they change, since pages show exact totals. */
  sample_count: number
  created_at: number
}

/** A version of a sample. It never changes, apart from `is_latest`. */
export interface SampleRow {
  id: string
  dataset_id: string
  /** The name of the sample in its dataset and in addresses. */
  sample_id: string
  /** The format's own name of the task. */
  instance_id: string
  /** From 1. */
  version: number
  /** 1 for the newest version of a sample that has not been removed. */
  is_latest: number
  /** SHA-256 of the task's files, hex: the name of the folder that holds them. */
  content_hash: string
  /** The size of the archive of what an agent may see. */
  archive_bytes: number
  version_description: string
  created_at: number
  /** When it was removed while a session used it; null for every other. Its dataset may be gone. */
  removed_at: number | null
}

/** The task of a version, apart from the narrow rows that are counted and searched. */
export interface SampleTaskRow {
  /** The id of the row in `samples`. */
  id: string
  /** JSON of a `Task` of `engine/environments/task.ts`. */
  task: string
}

export type SessionStatus = 'creating' | 'ready' | 'error' | 'closed' | 'terminated'

/** A session, in which an agent works on a sample. Its computer has the same id, and is deleted when it ends. */
export interface SessionRow {
  id: string
  account_id: string
  /** Who asked for it; null for a token without a user, and when that user was deleted. */
  user_id: UserIdentifier | null
  /** The node that has its computer. */
  node_id: string
  /** The names by which it was asked for: the dataset and the sample can be gone. */
  dataset: string
  sample_id: string
  version: number
  /** The id of the sample's row, which is kept as long as the session is. */
  sample_version_id: string
  /** `closed` by request, `terminated` by anything else, `error` when it did not become ready. */
  status: SessionStatus
  /** Why it is `error` or `terminated`; null otherwise. */
  error_code: string | null
  error_message: string | null
  /** How long it lasts once it is ready. */
  ttl_ms: number
  /** How its programs are run: directory, user, environment. JSON. */
  programs: string
  interaction_count: number
  /** What its interactions keep of their output. */
  kept_bytes: number
  requested_at: number
  /** When its computer began to run, and to cost; null until it is ready. */
  ready_at: number | null
  expires_at: number
  ended_at: number | null
}

/** A command that was run in a session, or a text that was replaced. A command's process has the same id. */
export interface InteractionRow {
  id: string
  session_id: string
  account_id: string
  /** The node that has the output of the process. */
  node_id: string
  kind: 'exec' | 'str_replace'
  /** `persistent` for a command that continues with the directory and the variables of the one before it. */
  shell: 'persistent' | null
  /** The beginning of the command, or the path of the file. */
  command: string
  status: 'pending' | 'completed' | 'error'
  /** Why the process ended; null while it runs, and for an interaction without one. */
  reason: string | null
  exit_code: number | null
  success: number | null
  message: string | null
  /** The newest output; null while the process runs, and where none is kept. */
  stdout: Uint8Array | null
  stderr: Uint8Array | null
  /** 1 when the kept output is not all of it. */
  truncated: number
  created_at: number
  ended_at: number | null
  /** How long the process ran. */
  duration_ms: number | null
}
