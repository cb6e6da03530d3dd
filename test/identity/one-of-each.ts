import type { Kysely } from 'kysely'
import type { Database } from '../../src/db/schema.ts'

/** The servers' own tables have no rows of users. */
type TableOfUsers = Exclude<
  keyof Database,
  'deployment' | 'nodes' | 'duties' | 'secrets' | 'uptime_hours' | 'datasets' | 'samples' | 'sample_tasks'
>
type Rows = { [Table in TableOfUsers]: Database[Table][] }

/**
 * Returns rows of a user in each table that has such rows, with a personal account. `who` is part of every id and every text of theirs.
 */
export function oneOfEach(who: string, deleteAt: number | null): Rows {
  const account_id = `account-${who}`
  const user_id = `user-${who}`
  const email = `${who}@example.com`
  return {
    accounts: [
      { id: account_id, name: `Name ${who}`, created_at: 1, created_by: null, shared: 0, delete_at: null, owner: null },
    ],
    users: [
      { id: user_id, account_id, name: `Name ${who}`, email, created_at: 1, last_login_at: 2, delete_at: deleteAt },
    ],
    identities: [
      { provider: 'email', subject: email, user_id, created_at: 1 },
      { provider: 'email', subject: `second-${email}`, user_id, created_at: 1 },
      { provider: 'github', subject: `github-${who}`, user_id, created_at: 1 },
    ],
    memberships: [{ account_id, user_id, role: 'owner', created_at: 1 }],
    invitations: [
      invitation(`to-${who}`, { account_id, email, invited_by: null }),
      invitation(`by-${who}`, { account_id, email: 'guest@example.com', invited_by: user_id }),
    ],
    tokens: [
      token(who, 'session', { account_id, user_id }),
      token(who, 'api_key', { account_id, user_id: null }),
      token(who, 'family', { account_id, user_id }),
    ],
    magic_links: [link(`link-${who}`, email), link(`second-${who}`, `second-${email}`)],
    spent_refresh_tokens: [{ hash: `spent-${who}`, token_id: `family-${who}`, spent_at: 1 }],
    snapshots: [snapshot(who, account_id)],
    computers: [
      computer(who, 'running', { account_id, name: '' }),
      computer(who, 'deleting', { account_id, name: `Name ${who}` }),
    ],
    processes: [process(who, 'ended'), process(who, 'running')],
    ports: [
      { computer_id: `running-${who}`, port: 80, created_at: 1, name: null, visibility: 'public', updated_at: 1 },
    ],
    access_sessions: [
      {
        id: `access-${who}`,
        account_id,
        computer_id: `running-${who}`,
        kind: 'exec',
        hash: `access-hash-${who}`,
        token_id: `user:${user_id}`,
        share_id: null,
        user_id,
        run_started_at: 1,
        created_at: 1,
        expires_at: 2,
        revoked_at: null,
      },
    ],
    shares: [
      {
        id: `share-${who}`,
        account_id,
        computer_id: `running-${who}`,
        hash: `share-hash-${who}`,
        sealed_token: 'x',
        allow_browser: 1,
        allow_vnc: 0,
        token_id: `user:${user_id}`,
        user_id,
        uses: 1,
        created_at: 1,
        expires_at: null,
        last_used_at: 1,
        revoked_at: null,
      },
    ],
    sessions: [
      {
        id: `session-${who}`,
        account_id,
        user_id,
        node_id: 'node',
        dataset: 'd',
        sample_id: 's',
        version: 1,
        sample_version_id: 's',
        status: 'closed',
        error_code: null,
        error_message: null,
        ttl_ms: 1,
        programs: '{}',
        interaction_count: 1,
        kept_bytes: 0,
        requested_at: 1,
        ready_at: 1,
        expires_at: 2,
        ended_at: 2,
      },
    ],
    interactions: [
      {
        id: `interaction-${who}`,
        session_id: `session-${who}`,
        account_id,
        node_id: 'node',
        kind: 'exec',
        shell: null,
        command: email,
        status: 'completed',
        reason: 'exited',
        exit_code: 0,
        success: 1,
        message: null,
        stdout: new Uint8Array([1]),
        stderr: null,
        truncated: 0,
        created_at: 1,
        ended_at: 2,
        duration_ms: 1,
      },
    ],
    memory_files: [{ account_id, path: 'a', content: new Uint8Array([1]), size: 1, modified_at: 1 }],
    events: [
      { id: `event-${who}`, account_id, computer_id: null, type: 't', actor: user_id, data: `{"a":"${email}"}`, at: 1 },
    ],
    operations: [
      {
        id: `operation-${who}`,
        account_id,
        node_id: 'node',
        kind: 'k',
        state: 'succeeded',
        progress: 1,
        result: null,
        error: null,
        created_at: 1,
        updated_at: 1,
        resource_type: 'computer',
        resource_id: `running-${who}`,
        actor: user_id,
        input: `{"a":"${email}"}`,
        request_key: who,
        ended_at: 1,
      },
    ],
    idempotency: [
      {
        account_id,
        key: 'k',
        node_id: 'node',
        request_hash: 'h',
        state: 'answered',
        status: 200,
        body: email,
        created_at: 1,
        bytes: 9,
        process_id: null,
      },
    ],
    usage_intervals: [interval(who, 100), interval(who, 0)],
    compute_marks: [
      { computer_id: `computer-${who}`, account_id, cpus: 1, counter_micros: 0, used_micros: 1, open_ms: 1, at: 1 },
    ],
    usage_days: [
      {
        account_id,
        dimension: 'label',
        day: 0,
        part: 'named',
        value: `Name ${who}`,
        meter: 'compute',
        label: null,
        intervals: 1,
        quantity: 1,
        amount_micros: 100,
      },
    ],
    spent: [{ account_id, token_id: '', period: 'day', since: 0, amount_micros: 100 }],
    usage_remainders: [{ account_id, meter: 'compute', remainder: 1, per: 1000 }],
    machine_payments: [
      {
        challenge_id: `challenge-${who}`,
        account_id,
        method: 'tempo',
        reference: `0x${who}`,
        challenge: '{}',
        amount_cents: 100,
        bonus_micros: 0,
        state: 'paid',
        receipt: '{}',
        created_at: 1,
        looked_at: 1,
      },
    ],
    spent_wallet_proofs: [{ challenge_id: `proof-${who}`, expires_at: 1 }],
    ledger_books: [{ id: `credit:${account_id}`, kind: 'credit', account_id, balance_micros: -100 }],
    ledger_transactions: [
      {
        id: `transaction-${who}`,
        key: `usage-100-${who}`,
        kind: 'usage',
        account_id,
        amount_micros: 100,
        of_transaction: null,
        data: '{}',
        at: 1,
      },
    ],
    ledger_entries: [
      { transaction_id: `transaction-${who}`, position: 0, book_id: `credit:${account_id}`, amount_micros: -100 },
    ],
    ledger_holds: [{ id: `hold-${who}`, account_id, meter: 'browser', amount_micros: 1, created_at: 1, settled_at: 2 }],
    payments: [
      {
        id: `payment-${who}`,
        account_id,
        method: 'stripe',
        state: 'paid',
        cents: 100,
        key: `stripe:pi:${who}`,
        session_id: null,
        intent_id: null,
        created_at: 1,
        updated_at: 1,
        data: '{}',
      },
    ],
    ssh_keys: [
      {
        id: `ssh-key-${who}`,
        account_id,
        user_id,
        token_id: null,
        name: `Name ${who}`,
        public_key: 'ssh-ed25519 AAAA',
        fingerprint: `SHA256:${who}`,
        created_at: 1,
        last_used_at: null,
      },
    ],
    ssh_certificates: [
      {
        id: `certificate-${who}`,
        account_id,
        user_id,
        token_id: `session-${who}`,
        computer_id: `running-${who}`,
        ssh_key_id: null,
        created_at: 1,
        expires_at: 2,
      },
    ],
    ssh_ports: [{ node_id: `node-${who}`, port: 42_000, computer_id: `running-${who}` }],
    first_credits: [{ account_id, person: email, network: '192.0.2.1', given: 1, decided_at: 1 }],
    spending_limits: [{ account_id, token_id: '', period: 'day', limit_micros: 1, updated_at: 1 }],
    person_settings: [
      { owner_id: user_id, locale: 'en', timezone: 'UTC', theme: 'dark', updated_at: 1 },
      { owner_id: account_id, locale: 'en', timezone: 'UTC', theme: 'dark', updated_at: 1 },
    ],
  }
}

/** Inserts rows; tables that others refer to come first. */
export async function insertAll(db: Kysely<Database>, rows: Partial<Rows>): Promise<void> {
  for (const table of Object.keys(rows) as TableOfUsers[])
    for (const row of rows[table] ?? []) await db.insertInto(table).values(row).execute()
}

function token(
  who: string,
  kind: Database['tokens']['kind'],
  of: Pick<Database['tokens'], 'account_id' | 'user_id'>,
): Database['tokens'] {
  const times = {
    created_at: 1,
    expires_at: null,
    revoked_at: null,
    last_used_at: null,
    refreshed_from: null,
    parent_id: null,
    replaced_hash: null,
    given_at: null,
  }
  return { id: `${kind}-${who}`, hash: `hash-${kind}-${who}`, name: `Name ${who}`, kind, scopes: null, ...of, ...times }
}

function snapshot(who: string, account_id: string): Database['snapshots'] {
  return {
    id: `snapshot-${who}`,
    account_id,
    node_id: 'node',
    computer_id: `running-${who}`,
    computer_name: `Name ${who}`,
    files_since: 1,
    kind: 'manual',
    image: 'slim',
    state: 'ready',
    failure_reason: null,
    size_bytes: 1,
    added_bytes: 1,
    paused_ms: 1,
    memory_bytes: 1,
    disk_bytes: 1,
    size_preset: null,
    created_at: 1,
    updated_at: 1,
    ready_at: 1,
    measured_at: 1,
  }
}

function computer(
  who: string,
  state: Database['computers']['state'],
  of: Pick<Database['computers'], 'account_id' | 'name'>,
): Database['computers'] {
  return {
    id: `${state}-${who}`,
    ...of,
    node_id: 'node',
    fence: 0,
    image: 'slim',
    state,
    state_reason: null,
    cpus: 1,
    memory_bytes: 1,
    disk_bytes: 1,
    pids: 1,
    lifecycle: 'sandbox',
    idle_timeout_ms: null,
    expires_at: null,
    created_at: 1,
    updated_at: 1,
    started_at: null,
    last_active_at: 1,
    memory_mib_ms: 0,
    memory_counted_ms: 0,
    display_name: null,
    size_preset: null,
    snapshot_id: null,
    authorized_keys: null,
    restored_at: null,
  }
}

function process(who: string, state: Database['processes']['state']): Database['processes'] {
  return {
    id: `process-${state}-${who}`,
    account_id: `account-${who}`,
    node_id: 'node',
    computer_id: `running-${who}`,
    name: 'n',
    kind: 'exec',
    command: `echo ${who}@example.com`,
    state,
    pid: 1,
    reason: null,
    exit_code: null,
    signal: null,
    output_bytes: 0,
    truncated: 0,
    kept_bytes: null,
    started_at: 1,
    ended_at: null,
  }
}

function interval(who: string, amount: number): Database['usage_intervals'] {
  return {
    id: `usage-${amount}-${who}`,
    account_id: `account-${who}`,
    computer_id: `running-${who}`,
    meter: 'compute',
    started_at: 1,
    ended_at: 2,
    quantity: 1,
    amount_micros: amount,
    token_id: `session-${who}`,
    label: `Name ${who}`,
  }
}

function invitation(
  id: string,
  of: Pick<Database['invitations'], 'account_id' | 'email' | 'invited_by'>,
): Database['invitations'] {
  return {
    id,
    hash: `hash-${id}`,
    mailbox: of.email,
    role: 'member',
    network: '192.0.2.1',
    created_at: 1,
    expires_at: 2,
    ended_at: null,
    ...of,
  }
}

function link(hash: string, email: string): Database['magic_links'] {
  const asked = { mailbox: email, network: '192.0.2.1', stranger: 1, sent: 1 }
  return { hash, email, ...asked, created_at: 1, expires_at: 2, used_at: null }
}
