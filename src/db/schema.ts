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
  processes: ProcessRow
  ports: PortRow
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
}

/**
 * A text that names a person: their id, an address or a wallet. `engine/deletion/person-columns.ts` says what becomes
 * of each.
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
  /** When a workspace of several people goes; null when nobody asked for that. Somebody's own goes with them. */
  delete_at: number | null
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
  /** null for one that belongs to no person, as the first account's. */
  user_id: UserIdentifier | null
  /** What it may do, separated by spaces; null for everything. */
  scopes: string | null
  /** To the minute. */
  last_used_at: number | null
  /** The session that it was renewed of; null for every other. */
  refreshed_from: string | null
  /** The API key that made this one, which ends with it; null for every other. */
  parent_id: string | null
  /**
   * Of a family: the hash of the refresh token for which the one that was used last was given; null for the first of a
   * sign-in.
   */
  replaced_hash: string | null
  /** Of a family: when the refresh token that was used last was given, to the second; null before one was used. */
  given_at: number | null
}

/**
 * An `api_key` is for programs. A `family` is a sign-in whose access tokens are renewed; its hash is of the `jti` of
 * the refresh token that was used last, or of the first.
 */
export type TokenKind = 'session' | 'api_key' | 'family'

export interface UserRow {
  id: UserIdentifier
  /** The personal workspace. */
  account_id: string
  name: UserIdentifier
  /** As `mailAddress` writes it. */
  email: UserIdentifier | null
  created_at: number
  last_login_at: number | null
  /** When everything of this person goes; null when nobody asked for that. */
  delete_at: number | null
}

/** One way in which a person proved who they are. */
export interface IdentityRow {
  /** `email`, `github`, `wallet`, or the address of an issuer. */
  provider: string
  /** The address as `mailAddress` writes it, the wallet in lower case, the provider's number or `sub`. */
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

/** A link by mail that makes whoever opens it a member. */
export interface InvitationRow {
  id: string
  /** SHA-256 of the code in the link, hex. */
  hash: string
  account_id: string
  /** As `mailAddress` writes it. */
  email: UserIdentifier
  /** Of `mailboxOf`. */
  mailbox: UserIdentifier
  role: MembershipRow['role']
  /** null when it was a token that belongs to no person. */
  invited_by: UserIdentifier | null
  /** The network from which the sender signed up within a day, otherwise sent it; null after a day. */
  network: string | null
  created_at: number
  expires_at: number
  /** When it was accepted or taken back. */
  ended_at: number | null
}

export interface MagicLinkRow {
  /** SHA-256 of the code in the link, hex. */
  hash: string
  /** As `mailAddress` writes it. */
  email: UserIdentifier
  /** Of `mailboxOf`. */
  mailbox: UserIdentifier
  /** Of who asked for it. */
  network: string
  /** 1 when nobody had signed in by the address yet. */
  stranger: number
  /** 0 for one that was made but not sent, since who asks must not see which. */
  sent: number
  created_at: number
  expires_at: number
  used_at: number | null
}

/**
 * A refresh token of the time before they were JWTs that was exchanged: who shows it again has a stolen one, or was
 * stolen from.
 */
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

/** The files of a `sandbox` are deleted when it stops; those of a `durable` computer stay. */
export type Lifecycle = 'sandbox' | 'durable'

export interface ComputerRow {
  id: string
  /** null for one that waits in the warm pool. */
  account_id: string | null
  /** Unique in its account; '' is the account's default sandbox. null for one that waits in the warm pool. */
  name: string | null
  image: string
  state: ComputerState
  /** Why it is `failed` or `stopped`; null otherwise. */
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
  /** What is kept of it takes so much on the disk; null while it runs, and where that was not counted. */
  kept_bytes: number | null
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
  /** Who or what did it: a token's id, `user:` and a person's, `lease`, `server`, `kernel`. */
  actor: UserIdentifier
  data: UserIdentifier
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

/** What was used in a stretch of time. Closed when it is written, and never changed after. */
export interface UsageIntervalRow {
  /** The economic fact, and the key of the transaction that charges it. */
  id: string
  account_id: string
  /** `noComputer` for what no computer used. */
  computer_id: string
  meter: Meter
  started_at: number
  ended_at: number
  /** In the meter's unit, see `config/price-book.ts`. */
  quantity: number
  /** What it was charged with; 0 when it has not come to a whole micro-dollar yet. */
  amount_micros: number
  /**
   * Whose work it was, by a token or as `user:` and a person's id, which leads nowhere when they have left; null where
   * that is not known.
   */
  token_id: string | null
  /** The name that the computer had in its account. */
  label: string | null
}

/** What the kernel counted of a sandbox's processor time. */
export interface ComputeMarkRow {
  computer_id: string
  account_id: string
  cpus: number
  /** The kernel's counter since the sandbox started; 0 when it does not run. */
  counter_micros: number
  /** What it comes to over all the times that it ran, without what the runtime takes for starts. */
  used_micros: number
  /** For how long it ran in all. */
  open_ms: number
  at: number
}

/**
 * What was used on a day (UTC) of one meter: of everything, of a computer, by a key, under a label. Written with the
 * intervals that it adds up, each on the day in which it ended; those with a quantity of 0 are not in it.
 */
export interface UsageDayRow {
  account_id: string
  dimension: 'all' | 'computer' | 'key' | 'label'
  /** Days since 1970. */
  day: number
  /**
   * `unknown` is what no computer used, whose key or label nobody knows; `rest` what is beyond the lines that a day
   * has.
   */
  part: 'named' | 'unknown' | 'rest'
  /** A computer's or token's id, or a label; '' for all else. */
  value: string
  meter: Meter
  /** What a computer was called; null for all else. */
  label: string | null
  intervals: number
  quantity: number
  amount_micros: number
}

/**
 * What an account, or one of its tokens, spent in a day or a month (UTC). Written with the intervals that it adds up.
 */
export interface SpentRow {
  account_id: string
  /** `wholeAccount` for the account as a whole. */
  token_id: string
  period: 'day' | 'month'
  /** When the period begins. */
  since: number
  amount_micros: number
}

/** The part of a micro-dollar that is still to be charged: `remainder` of `per`. */
export interface UsageRemainderRow {
  account_id: string
  meter: Meter
  remainder: number
  per: number
}

export type BookKind = 'credit' | 'hold' | 'revenue' | 'promotions' | 'clearing' | 'unbilled' | 'write_off'

/** One account of the books, with the sum of its entries. */
export interface LedgerBookRow {
  id: string
  kind: BookKind
  /** Of whom; null for the house's own. */
  account_id: string | null
  balance_micros: number
}

export type TransactionKind = 'grant' | 'topup' | 'usage' | 'hold' | 'capture' | 'release' | 'refund' | 'reversal'

/** Written once, never changed. Its entries come to zero. */
export interface LedgerTransactionRow {
  id: string
  /** The economic fact that it records: one fact, one transaction, for ever. */
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
  /** Positive adds to the book. */
  amount_micros: number
}

export interface LedgerHoldRow {
  id: string
  account_id: string
  meter: Meter
  amount_micros: number
  created_at: number
  /** null while it holds. */
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
 * `open` until somebody pays, `processing` while the money is on its way, `review` when money came that could not be
 * credited, until somebody credits it or has it `dismissed`. A payment that failed or expired can still be `paid` in
 * the end.
 */
export type PaymentState = 'open' | 'processing' | 'paid' | 'failed' | 'expired' | 'review' | 'dismissed'

/** One payment by one way of paying. */
export interface PaymentRow {
  id: string
  account_id: string
  /** `stripe` or `play_money`. */
  method: string
  state: PaymentState
  /** What was asked for, in US cents. */
  cents: number
  /** Of the transaction that credits it; null until it is known. */
  key: string | null
  /** Stripe's Checkout session. */
  session_id: string | null
  /** Stripe's PaymentIntent; null until somebody pays. */
  intent_id: string | null
  created_at: number
  /** When it last changed, or its provider was last asked about it. */
  updated_at: number
  data: string
}

export interface UserSettingsRow {
  /** A person; the account of a token that belongs to no person. */
  owner_id: UserIdentifier
  /** BCP 47. */
  locale: string
  /** Of the time zone database. */
  timezone: string
  theme: 'system' | 'light' | 'dark'
  updated_at: number
}

/** A payment that was begun by the Machine Payments Protocol: written before money moves, so that none is lost. */
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
  /** `pending`: it is not known yet whether money moved. */
  state: 'pending' | 'paid' | 'failed'
  /** As it is sent in `Payment-Receipt`; null while there is none. */
  receipt: string | null
  created_at: number
  /** When the network was last asked for it. */
  looked_at: number
}

/** A wallet's proof that was used: it does not work again. */
export interface SpentWalletProofRow {
  challenge_id: string
  /** When the proof would have ended by itself. */
  expires_at: number
}

/** Whether a person's own account got its first credit, which was decided when they signed up. */
export interface FirstCreditRow {
  account_id: string
  /** What they have one of: a mailbox, a wallet, or what an issuer calls them. */
  person: UserIdentifier
  /** Where they came from; null after a day. */
  network: string | null
  /** 1 when it was given. */
  given: number
  decided_at: number
}
