import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { sql, type Kysely, type Migration } from 'kysely'
import { openDatabase, withoutPassword } from '../../src/db/open.ts'
import type { Database } from '../../src/db/schema.ts'
import { migrating } from '../support/migrating.ts'
import { tablesOf } from '../support/tables-of.ts'
import { newDatabase } from '../support/test-database.ts'

const emptyDatabase = (t: TestContext) => newDatabase(t, { empty: true })

/** A row of each table, with something in every column. */
const rows: { [Table in keyof Database]: Database[Table] } = {
  deployment: { id: 'deployment', created_at: 1 },
  nodes: {
    id: 'node',
    address: 'https://node.example.com',
    epoch: 2,
    lease_until: 2 ** 42,
    cpus: 3,
    memory_bytes: 2 ** 41,
    disk_bytes: 2 ** 43,
    created_at: 4,
  },
  duties: { name: 'database', node_id: 'node', lease_until: 2 ** 42 },
  uptime_hours: {
    node_id: 'node',
    slug: 'api',
    starts_at: 2 ** 42,
    operational: 57,
    degraded: 2,
    down: 1,
    last_status: 'degraded',
    last_response_ms: 1500,
    checked_at: 2 ** 42,
  },
  accounts: {
    id: 'account',
    name: 'Ümlaut "quoted"',
    created_at: 1,
    created_by: null,
    shared: 0,
    delete_at: null,
    owner: 1,
  },
  users: {
    id: 'user',
    account_id: 'account',
    name: 'Ünal',
    email: 'unal@example.com',
    created_at: 1,
    last_login_at: 2,
    delete_at: null,
  },
  identities: { provider: 'email', subject: 'unal@example.com', user_id: 'user', created_at: 1 },
  memberships: { account_id: 'account', user_id: 'user', role: 'owner', created_at: 1 },
  invitations: {
    id: 'i',
    hash: 'c',
    account_id: 'account',
    email: 'other@example.com',
    mailbox: 'other@example.com',
    role: 'member',
    invited_by: 'user',
    network: null,
    created_at: 1,
    expires_at: 2,
    ended_at: 3,
  },
  tokens: {
    id: 't',
    account_id: 'account',
    hash: 'h',
    name: 'n',
    created_at: 2,
    expires_at: 3,
    revoked_at: null,
    kind: 'api_key',
    user_id: 'user',
    scopes: 'compute',
    last_used_at: 4,
    refreshed_from: 'u',
    parent_id: 'p',
    replaced_hash: 'r',
    given_at: 6,
  },
  magic_links: {
    hash: 'm',
    email: 'unal@example.com',
    mailbox: 'unal@example.com',
    network: '192.0.2.1',
    stranger: 1,
    sent: 0,
    created_at: 5,
    expires_at: 6,
    used_at: null,
  },
  spent_refresh_tokens: { hash: 's', token_id: 't', spent_at: 7 },
  computers: {
    id: 'computer',
    account_id: 'account',
    name: '',
    node_id: 'node',
    fence: 2 ** 40,
    image: 'slim-0',
    state: 'running',
    state_reason: null,
    cpus: 1.5,
    memory_bytes: 2 ** 40,
    disk_bytes: 2 ** 52,
    pids: 100,
    lifecycle: 'sandbox',
    idle_timeout_ms: null,
    expires_at: 9_007_199_254_740_991,
    created_at: 4,
    updated_at: 5,
    started_at: 6,
    last_active_at: 7,
    display_name: 'Büro ☃',
    size_preset: 'ram-2g',
    snapshot_id: 'snapshot',
    memory_mib_ms: 2 ** 52,
    memory_counted_ms: 2 ** 40,
    authorized_keys: 'ssh-ed25519 AAAA',
    restored_at: 8,
  },
  snapshots: {
    id: 'snapshot',
    account_id: 'account',
    node_id: 'node',
    computer_id: 'computer',
    computer_name: 'büro',
    files_since: 2 ** 42,
    kind: 'manual',
    image: 'slim-0',
    state: 'failed',
    failure_reason: 'no room',
    size_bytes: 2 ** 45,
    added_bytes: 2 ** 44,
    paused_ms: 1.5,
    memory_bytes: 2 ** 40,
    disk_bytes: 2 ** 52,
    size_preset: 'ram-2g',
    created_at: 1,
    updated_at: 2,
    ready_at: 3,
    measured_at: 4,
  },
  ssh_keys: {
    id: 'sk',
    account_id: 'account',
    user_id: 'user',
    token_id: 't',
    name: 'laptop',
    public_key: 'ssh-ed25519 AAAA',
    fingerprint: 'SHA256:x',
    created_at: 8,
    last_used_at: 9,
  },
  ssh_certificates: {
    id: 'sc',
    account_id: 'account',
    user_id: 'user',
    token_id: 't',
    computer_id: 'computer',
    ssh_key_id: 'sk',
    created_at: 8,
    expires_at: 9,
  },
  ssh_ports: { node_id: 'node', port: 42_000, computer_id: 'computer' },
  processes: {
    id: 'p',
    account_id: 'account',
    node_id: 'node',
    computer_id: 'computer',
    name: 'web',
    kind: 'background',
    command: 'echo ☃',
    state: 'ended',
    pid: 8,
    reason: 'exited',
    exit_code: 0,
    signal: null,
    output_bytes: 2 ** 45,
    truncated: 0,
    kept_bytes: 8,
    started_at: 9,
    ended_at: 10,
  },
  ports: { computer_id: 'computer', port: 8080, created_at: 11, name: 'wéb', visibility: 'private', updated_at: 12 },
  access_sessions: {
    id: 'access',
    account_id: 'account',
    computer_id: 'computer',
    kind: 'exec',
    hash: 'a',
    token_id: 't',
    share_id: null,
    user_id: 'user',
    run_started_at: 6,
    created_at: 7,
    expires_at: 2 ** 42,
    revoked_at: 8,
  },
  shares: {
    id: 'share',
    account_id: 'account',
    computer_id: 'computer',
    hash: 's',
    sealed_token: 'nonce.☃',
    allow_browser: 1,
    allow_vnc: 0,
    token_id: 't',
    user_id: 'user',
    uses: 2,
    created_at: 7,
    expires_at: 2 ** 42,
    last_used_at: 8,
    revoked_at: 9,
  },
  memory_files: {
    account_id: 'account',
    path: 'notes.md',
    content: new Uint8Array([0, 255, 1]),
    size: 3,
    modified_at: 12,
  },
  events: {
    id: 'e',
    account_id: 'account',
    computer_id: null,
    type: 'computer.running',
    actor: 'server',
    data: '{}',
    at: 13,
  },
  operations: {
    id: 'o',
    account_id: 'account',
    node_id: 'node',
    kind: 'k',
    state: 'running',
    progress: 0.25,
    result: null,
    error: null,
    created_at: 14,
    updated_at: 15,
    resource_type: 'computer',
    resource_id: 'computer',
    actor: 'token',
    input: '{}',
    request_key: 'key',
    ended_at: 16,
  },
  idempotency: {
    account_id: 'account',
    key: 'k',
    node_id: 'node',
    request_hash: 'h',
    state: 'in_progress',
    status: null,
    body: null,
    created_at: 16,
    bytes: 9,
    process_id: 'p',
  },
  usage_intervals: {
    id: 'u',
    account_id: 'account',
    computer_id: 'computer',
    meter: 'compute',
    started_at: 17,
    ended_at: 18,
    quantity: 1_000_000,
    amount_micros: 100,
    token_id: 't',
    label: null,
  },
  compute_marks: {
    computer_id: 'computer',
    account_id: 'account',
    cpus: 0.5,
    counter_micros: 5,
    used_micros: 7,
    open_ms: 8,
    at: 9,
  },
  usage_days: {
    account_id: 'account',
    dimension: 'computer',
    day: 20_000,
    part: 'named',
    value: 'computer',
    meter: 'storage_hot',
    label: 'ü',
    intervals: 2,
    quantity: 2 ** 52,
    amount_micros: 2 ** 51,
  },
  spent: { account_id: 'account', token_id: '', period: 'month', since: 18, amount_micros: 2 ** 52 },
  usage_remainders: { account_id: 'account', meter: 'compute', remainder: 1, per: 1000 },
  ledger_books: { id: 'credit:account', kind: 'credit', account_id: 'account', balance_micros: -(2 ** 52) },
  ledger_transactions: {
    id: 'x',
    key: 'usage:computer:compute:17',
    kind: 'usage',
    account_id: 'account',
    amount_micros: 2 ** 52,
    of_transaction: null,
    data: '{}',
    at: 19,
  },
  ledger_entries: { transaction_id: 'x', position: 0, book_id: 'credit:account', amount_micros: -(2 ** 52) },
  ledger_holds: {
    id: 'h',
    account_id: 'account',
    meter: 'browser',
    amount_micros: 20,
    created_at: 21,
    settled_at: null,
  },
  spending_limits: { account_id: 'account', token_id: '', period: 'month', limit_micros: 22, updated_at: 23 },
  payments: {
    id: 'payment',
    account_id: 'account',
    method: 'stripe',
    state: 'paid',
    cents: 2000,
    key: 'stripe:pi:pi_1',
    session_id: 'cs_1',
    intent_id: 'pi_1',
    created_at: 24,
    updated_at: 25,
    data: '{"bonusMicros":2000000}',
  },
  person_settings: { owner_id: 'user', locale: 'de-AT', timezone: 'Europe/Vienna', theme: 'dark', updated_at: 24 },
  machine_payments: {
    challenge_id: 'c',
    account_id: 'account',
    method: 'tempo',
    reference: '0x1',
    challenge: '{}',
    amount_cents: 500,
    bonus_micros: 0,
    state: 'pending',
    receipt: null,
    created_at: 24,
    looked_at: 25,
  },
  spent_wallet_proofs: { challenge_id: 'd', expires_at: 26 },
  first_credits: {
    account_id: 'account',
    person: 'unal@example.com',
    network: '192.0.2.1',
    given: 1,
    decided_at: 27,
  },
  secrets: { name: 'signing-key', key_id: '0123456789abcdef', nonce: 'AAAA', ciphertext: 'BBBB', created_at: 28 },
  datasets: { id: 'dataset', name: 'ünits', description: 'Units', sample_count: 3, created_at: 2 ** 42 },
  samples: {
    id: 'sample-version',
    dataset_id: 'dataset',
    sample_id: 'one',
    instance_id: 'org/one',
    version: 2,
    is_latest: 1,
    content_hash: 'hash',
    archive_bytes: 2 ** 33,
    version_description: 'Clearer words',
    created_at: 2 ** 42,
    removed_at: 2 ** 42,
  },
  sample_tasks: { id: 'sample-version', task: '{"format":"plain"}' },
  sessions: {
    id: 'session',
    account_id: 'account',
    user_id: 'user',
    node_id: 'node',
    dataset: 'ünits',
    sample_id: 'one',
    version: 2,
    sample_version_id: 'sample-version',
    status: 'terminated',
    error_code: 'EXPIRED',
    error_message: 'Its time to live is over',
    ttl_ms: 2 ** 33,
    programs: '{}',
    interaction_count: 1,
    kept_bytes: 2 ** 33,
    requested_at: 2 ** 42,
    ready_at: 2 ** 42,
    expires_at: 2 ** 42,
    ended_at: 2 ** 42,
  },
  interactions: {
    id: 'interaction',
    session_id: 'session',
    account_id: 'account',
    node_id: 'node',
    kind: 'exec',
    shell: 'persistent',
    command: 'make',
    status: 'completed',
    reason: 'exited',
    exit_code: 2,
    success: 0,
    message: 'ünits',
    stdout: new Uint8Array([0, 255, 1]),
    stderr: new Uint8Array([2]),
    truncated: 1,
    created_at: 2 ** 42,
    ended_at: 2 ** 42,
    duration_ms: 2 ** 33,
  },
}
const {
  kind: _kind,
  user_id: _user,
  scopes: _scopes,
  last_used_at: _used,
  refreshed_from: _from,
  parent_id: _parent,
  replaced_hash: _replaced,
  given_at: _given,
  ...firstToken
} = rows.tokens
const { created_by: _by, shared: _shared, delete_at: _at, owner: _owner, ...firstAccount } = rows.accounts
const tables = Object.keys(rows) as (keyof Database)[]

async function fill(db: Kysely<Database>): Promise<void> {
  // The migration made one.
  await db.deleteFrom('deployment').execute()
  for (const table of tables) await db.insertInto(table).values(rows[table]).execute()
}

/** The tables of the first release; its usage was open or ended, and had no price. */
const firstTables = tables.filter(
  (table) =>
    !/^(deployment|nodes|duties|uptime_hours|ledger_|usage_remainders|usage_days|spent$|compute_marks|spending_limits|users|identities|memberships|invitations|magic_links|spent_|payments|person_|machine_|first_|secrets|access_|shares|ssh_|snapshots|datasets|samples|sample_tasks|sessions|interactions)/.test(
      table,
    ),
)
const { kept_bytes: _, node_id: _home, ...firstProcess } = rows.processes
const unnamed = {
  display_name: null,
  size_preset: null,
  snapshot_id: null,
  authorized_keys: null,
  restored_at: null,
  memory_mib_ms: 0,
  memory_counted_ms: 0,
}
const workless = { resource_type: '', resource_id: '', actor: '', input: null, request_key: null, ended_at: null }
const { name: _name, lifecycle: _lifecycle, node_id: _node, fence: _fence, ...anyComputer } = rows.computers
const { node_id: _doer, ...anyOperation } = rows.operations
const unpublished = { name: null, visibility: 'public' as const, updated_at: rows.ports.created_at }
const firstPort = without(rows.ports, unpublished)
const firstOperation = without(anyOperation, workless)
const firstComputer = { ...without(anyComputer, unnamed), session_key: '', ephemeral: 1 }
const { bytes: _bytes, process_id: _process, state: _state, node_id: _on, ...firstKey } = rows.idempotency
const firstUsage = {
  id: 'u',
  account_id: 'account',
  computer_id: 'computer',
  meter: 'compute',
  started_at: 17,
  ended_at: 18,
}

/** Returns a row without columns that were added later. */
function without(row: object, later: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).filter(([column]) => !Object.hasOwn(later, column)))
}

async function contents(db: Kysely<Database>): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  for (const table of tables) {
    const [first = ''] = Object.keys(rows[table])
    const row = await db.selectFrom(table).selectAll().orderBy(sql.ref(first)).executeTakeFirst()
    found[table] = Object.fromEntries(Object.entries(row ?? {}).map(([column, value]) => [column, plain(value)]))
  }
  return found
}

/** Returns a value as every database returns it: bytes may be a subclass of what they were. */
function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? new Uint8Array(value) : value
}

test('an empty database gets every table, and keeps what each column is given', async (t) => {
  const db = await openDatabase(await emptyDatabase(t))
  t.after(() => db.destroy())
  await fill(db)
  assert.deepEqual(await contents(db), rows)
})

test('opening a database with rows repeatedly changes nothing', async (t) => {
  const location = await emptyDatabase(t)
  const first = await openDatabase(location)
  await fill(first)
  await first.destroy()
  for (let count = 0; count < 2; count++) {
    const again = await openDatabase(location)
    assert.deepEqual(await contents(again), rows)
    await again.destroy()
  }
})

test('every migration runs on the rows of the one before it', async (t) => {
  const location = await emptyDatabase(t)
  const old = migrating(location)
  const first = await import('../../src/db/migrations/0001-first.ts')
  await first.up(old as Kysely<unknown>)
  await (old as unknown as Kysely<Record<string, unknown>>).insertInto('accounts').values(firstAccount).execute()
  for (const table of firstTables.filter(
    (table) =>
      ![
        'usage_intervals',
        'tokens',
        'accounts',
        'computers',
        'processes',
        'operations',
        'idempotency',
        'ports',
      ].includes(table),
  ))
    await old.insertInto(table).values(rows[table]).execute()
  await (old as unknown as Kysely<Record<string, unknown>>).insertInto('tokens').values(firstToken).execute()
  await (old as unknown as Kysely<Record<string, unknown>>)
    .insertInto('computers')
    .values([
      firstComputer,
      { ...firstComputer, id: 'kept', session_key: 'kept', ephemeral: 0 },
      { ...firstComputer, id: 'warm', account_id: null, session_key: null },
    ])
    .execute()
  await (old as unknown as Kysely<Record<string, unknown>>).insertInto('processes').values(firstProcess).execute()
  await (old as unknown as Kysely<Record<string, unknown>>).insertInto('idempotency').values(firstKey).execute()
  await (old as unknown as Kysely<Record<string, unknown>>).insertInto('operations').values(firstOperation).execute()
  await (old as unknown as Kysely<Record<string, unknown>>).insertInto('ports').values(firstPort).execute()
  await sql`insert into usage_intervals values ('u', 'account', 'computer', 'compute', 17, 18, 1)`.execute(old)
  await sql`create table kysely_migration (name varchar(255) primary key, timestamp varchar(255) not null)`.execute(old)
  await sql`create table kysely_migration_lock (id varchar(255) primary key, is_locked integer default 0 not null)`.execute(
    old,
  )
  await sql`insert into kysely_migration_lock values ('migration_lock', 0)`.execute(old)
  await sql`insert into kysely_migration values ('0001-first', '2026-01-01T00:00:00.000Z')`.execute(old)
  await old.destroy()
  const db = await openDatabase(location)
  t.after(() => db.destroy())
  const found = await contents(db)
  // All is the node's that the rows were given: a server without a node claims it.
  const node = await db.selectFrom('nodes').selectAll().executeTakeFirstOrThrow()
  assert.equal(node.epoch, 0)
  // Usage from before there were prices costs nothing; tokens from before there were kinds are sessions.
  const since: Partial<Record<string, unknown>> = {
    usage_intervals: { ...firstUsage, quantity: 0, amount_micros: 0, token_id: null, label: null },
    deployment: found['deployment'],
    nodes: found['nodes'],
    computers: { ...rows.computers, ...unnamed, node_id: node.id, fence: 0 },
    operations: { ...firstOperation, ...workless, node_id: node.id },
    ports: { ...rows.ports, ...unpublished },
    processes: { ...firstProcess, node_id: node.id, kept_bytes: null },
    idempotency: { ...firstKey, node_id: node.id, state: 'in_progress', bytes: 0, process_id: null },
    tokens: {
      ...firstToken,
      kind: 'session',
      user_id: null,
      scopes: null,
      last_used_at: null,
      refreshed_from: null,
      parent_id: null,
      replaced_hash: null,
      given_at: null,
    },
  }
  const lives = await db.selectFrom('computers').select(['id', 'name', 'lifecycle']).orderBy('id').execute()
  assert.deepEqual(
    lives.map(({ id, name, lifecycle }) => [id, name, lifecycle]),
    [
      ['computer', '', 'sandbox'],
      ['kept', 'kept', 'durable'],
      ['warm', null, 'sandbox'],
    ],
  )
  await assert.rejects(
    db
      .insertInto('computers')
      .values({ ...rows.computers, node_id: node.id, id: 'second' })
      .execute(),
    /unique/i,
  )
  for (const table of tables)
    assert.deepEqual(found[table], since[table] ?? (firstTables.includes(table) ? rows[table] : {}), table)
})

test('migration 0019 replaces magic values, row by row, by nulls and states', async (t) => {
  const db = await before(t, '0019')
  const accounts = [
    ['own', null],
    ['shared', 'user'],
    ['orphaned', ''],
  ]
  for (const [id, by] of accounts) await sql`insert into accounts values (${id}, 'n', 1, ${by}, null)`.execute(db)
  const answers = [
    ['in progress', null, 'p1', 0, null],
    ['left', 0, 'p2', 0, null],
    ['evicted', 0, 'p3', 0, 'p3'],
    ['dropped', -1, null, 0, null],
    ['of a process', 200, '{}', 2, 'p4'],
    ['of no process', 404, '{"a":1}', 7, null],
  ]
  for (const [key, status, body, bytes, process] of answers)
    await sql`insert into idempotency (account_id, key, request_hash, status, body, created_at, bytes, process_id)
      values ('own', ${key}, 'h', ${status}, ${body}, 1, ${bytes}, ${process})`.execute(db)
  for (const [id, network] of [
    ['new', '192.0.2.1'],
    ['old', ''],
  ])
    await sql`insert into invitations (id, hash, account_id, email, mailbox, role, network, created_at, expires_at)
      values (${id}, ${id}, 'shared', 'e', 'm', 'member', ${network}, 1, 2)`.execute(db)
  const { up } = await import('../../src/db/migrations/0019-no-magic-values.ts')
  await up(db as Kysely<unknown>)

  assert.deepEqual(await valuesOf(db, 'accounts', ['id', 'created_by', 'shared']), [
    ['orphaned', null, 1],
    ['own', null, 0],
    ['shared', 'user', 1],
  ])
  assert.deepEqual(await valuesOf(db, 'idempotency', ['key', 'state', 'status', 'body', 'bytes', 'process_id']), [
    ['dropped', 'dropped', null, null, 0, null],
    ['evicted', 'process', null, null, 0, 'p3'],
    ['in progress', 'in_progress', null, null, 0, 'p1'],
    ['left', 'process', null, null, 0, 'p2'],
    ['of a process', 'answered', 200, '{}', 2, 'p4'],
    ['of no process', 'answered', 404, '{"a":1}', 7, null],
  ])
  assert.deepEqual(await valuesOf(db, 'invitations', ['id', 'network']), [
    ['new', '192.0.2.1'],
    ['old', null],
  ])
})

test('migration 0022 gives memory files one name each, and loses none where several get the same', async (t) => {
  const db = await before(t, '0022')
  await sql`insert into accounts (id, name, created_at) values ('a', 'n', 1), ('b', 'n', 1)`.execute(db)
  const long = `${'x'.repeat(509)}😀`
  const files = [
    ['/data/x', 3],
    ['data/x', 2],
    ['data//x', 1],
    ['./data/x~2', 1],
    ['/only', 1],
    ['.hidden', 1],
    ['../up', 1],
    ['/', 1],
    ['unnamed', 2],
    [long, 2],
    [`/${long}`, 1],
  ] as const
  const add = (account_id: string, path: string, modified_at: number) =>
    db
      .insertInto('memory_files')
      .values({ account_id, path, content: Buffer.from(path), size: 1, modified_at })
      .execute()
  for (const [path, modifiedAt] of files) await add('a', path, modifiedAt)
  await add('b', 'data/x', 9)
  const { up } = await import('../../src/db/migrations/0022-memory-paths.ts')
  await up(db as Kysely<unknown>)

  const found = await db.selectFrom('memory_files').selectAll().execute()
  const named = (account: string) =>
    Object.fromEntries(
      found
        .filter(({ account_id }) => account_id === account)
        .map(({ path, content }) => [path, Buffer.from(content).toString()]),
    )
  assert.deepEqual(named('a'), {
    'data/x': '/data/x',
    'data/x~3': 'data/x',
    'data/x~4': 'data//x',
    'data/x~2': './data/x~2',
    only: '/only',
    '.hidden': '.hidden',
    up: '../up',
    unnamed: 'unnamed',
    'unnamed~2': '/',
    [long]: long,
    [`${'x'.repeat(509)}~2`]: `/${long}`,
  })
  assert.deepEqual(named('b'), { 'data/x': 'data/x' })
})

test('migration 0031 keeps access sessions, and takes ones that no token created', async (t) => {
  const db = await before(t, '0031')
  const { share_id: _share, ...session } = rows.access_sessions
  await (db as unknown as Kysely<Record<string, unknown>>).insertInto('access_sessions').values(session).execute()
  const { up } = await import('../../src/db/migrations/0031-shares.ts')
  await up(db as Kysely<unknown>)
  const shared = { ...rows.access_sessions, id: 'shared', hash: 'b', token_id: null, share_id: 'share' }
  await db.insertInto('access_sessions').values(shared).execute()
  const found = await db.selectFrom('access_sessions').selectAll().orderBy('id').execute()
  assert.deepEqual(
    found.map((row) => ({ ...row })),
    [rows.access_sessions, shared],
  )
})

/** Returns an empty database as all migrations before one leave it. */
async function before(t: TestContext, name: string): Promise<Kysely<Database>> {
  const db = migrating(await emptyDatabase(t))
  t.after(() => db.destroy())
  const folder = new URL('../../src/db/migrations/', import.meta.url)
  for (const each of readdirSync(folder).toSorted()) {
    if (each >= name) break
    const migration = (await import(new URL(each, folder).href)) as Migration
    await migration.up(db)
  }
  return db
}

/** Returns these columns of all rows of a table, in the order of the first one. */
async function valuesOf(db: Kysely<Database>, table: keyof Database, columns: string[]): Promise<unknown[][]> {
  const { rows } = await sql<
    Record<string, unknown>
  >`select * from ${sql.table(table)} order by ${sql.ref(columns[0]!)}`.execute(db)
  return rows.map((row) => columns.map((column) => row[column]))
}

test('a database of a newer program is refused with its path and not changed', async (t) => {
  const location = await emptyDatabase(t)
  const db = await openDatabase(location)
  await fill(db)
  await sql`insert into kysely_migration values ('9999-future', '2030-01-01T00:00:00.000Z')`.execute(db)
  await db.destroy()
  await assert.rejects(openDatabase(location), (error: Error) =>
    error.message.startsWith(`Cannot open the database "${withoutPassword(location)}"`),
  )
  const raw = migrating(location)
  t.after(() => raw.destroy())
  assert.deepEqual(await contents(raw), rows)
})

test('a failed migration leaves everything as it was, and the next start continues from there', async (t) => {
  const location = await emptyDatabase(t)
  const old = migrating(location)
  await sql`create table compute_marks (stands_in_the_way text)`.execute(old)
  await old.destroy()
  await assert.rejects(openDatabase(location), /compute_marks/)
  const left = migrating(location)
  assert.deepEqual(await tablesOf(left), ['compute_marks'])
  await sql`drop table compute_marks`.execute(left)
  await left.destroy()
  const db = await openDatabase(location)
  t.after(() => db.destroy())
  await fill(db)
  assert.deepEqual(await contents(db), rows)
})
