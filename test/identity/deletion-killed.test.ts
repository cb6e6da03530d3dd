import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kysely } from 'kysely'
import { defaultPrices } from '../../src/config/price-book.ts'
import type { Database } from '../../src/db/schema.ts'
import { Activity } from '../../src/engine/computers/lifecycle/activity.ts'
import { CreditWatch } from '../../src/engine/money/credit/credit-watch.ts'
import { deleteDue } from '../../src/engine/deletion/delete-due.ts'
import { AccountRemovals } from '../../src/engine/identity/accounts/account-removals.ts'
import { deletionPlan } from '../../src/engine/deletion/deletion-plan.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { LiveEvents } from '../../src/engine/computers/live-events.ts'
import { ExposedPorts } from '../../src/engine/computers/ports/exposed-ports.ts'
import { ComputeMeter } from '../../src/engine/money/usage/compute-meter.ts'
import { Locks } from '../../src/engine/locks.ts'
import { Crash, MortalDatabase } from '../ledger/mortal-database.ts'
import { insertAll, oneOfEach } from './one-of-each.ts'
import type { Driver } from '../../src/drivers/driver.ts'
import type { ProcessRecorder } from '../../src/engine/computers/processes/recorder.ts'
import type { Mail } from '../../src/engine/identity/auth/mail.ts'
import { claimNode } from '../../src/engine/nodes/claim-node.ts'
import { nodeFacts } from '../../src/engine/nodes/node-facts.ts'
import { tablesOf } from '../support/tables-of.ts'
import { runsOnPostgres } from '../support/test-database.ts'
import { testEngine } from '../support/test-engine.ts'

/** Everything that the servers of these tests share. */
const base = await testEngine({ env: { CARREL_BILLING: 'on' }, prices: defaultPrices })
await base.driver.close()
await base.db.destroy()

/** What exists on a host, beyond the life of a server. The server dies at a chosen piece of work, before or after it is done. */
class Host {
  readonly computers = new Set<string>()
  readonly outputs = new Set<string>()
  readonly snapshots = new Set<string>()
  readonly mails = new Set<string>()
  #workLeft = Infinity
  #dies: 'before' | 'after' = 'before'
  #dead = false

  dieAt(work: number, dies: 'before' | 'after'): void {
    this.#workLeft = work
    this.#dies = dies
  }

  /** Lets another server work on the host. */
  revive(): void {
    this.#dead = false
    this.#workLeft = Infinity
  }

  async remove(from: Set<string>, id: string): Promise<void> {
    if (this.#dead) throw new Crash()
    this.#dead = this.#workLeft-- === 0
    if (!this.#dead || this.#dies === 'after') from.delete(id)
    if (this.#dead) throw new Crash()
  }
}

const tables = Object.keys(deletionPlan) as (keyof Database)[]

/** Inserts a user who is deleted, another who stays, two more workspaces of theirs, and one that is deleted by itself. */
async function fill(db: Kysely<Database>, host: Host): Promise<void> {
  await claimNode(db, base.node.id, nodeFacts(base.settings))
  for (const who of ['gone', 'other']) {
    await insertAll(db, oneOfEach(who, who === 'gone' ? 1 : null))
    for (const state of ['running', 'deleting']) host.computers.add(`${state}-${who}`)
    for (const state of ['running', 'ended']) host.outputs.add(`process-${state}-${who}`)
    host.snapshots.add(`snapshot-${who}`)
    for (const address of [`${who}@example.com`, `second-${who}@example.com`]) host.mails.add(address)
  }
  const member = (account: string, user: string, role: 'owner' | 'admin' | 'member', at: number) => ({
    account_id: account,
    user_id: `user-${user}`,
    role,
    created_at: at,
  })
  const { tokens, computers } = oneOfEach('gone', null)
  host.computers.add('shared-gone')
  await insertAll(db, {
    accounts: [
      { id: 'team', name: 'Team', created_at: 2, created_by: 'user-gone', shared: 1, delete_at: null, owner: null },
      { id: 'alone-gone', name: 'Only gone', created_at: 3, created_by: null, shared: 0, delete_at: null, owner: null },
      {
        id: 'shared-gone',
        name: 'Shared',
        created_at: 4,
        created_by: 'user-other',
        shared: 1,
        delete_at: 1,
        owner: null,
      },
    ],
    memberships: [
      member('team', 'gone', 'owner', 1),
      member('team', 'other', 'member', 2),
      member('alone-gone', 'gone', 'owner', 1),
      member('shared-gone', 'other', 'owner', 1),
    ],
    tokens: [
      { ...tokens[1]!, id: 'key-gone', hash: 'key-gone', account_id: 'team', user_id: 'user-gone' },
      { ...tokens[1]!, id: 'key-shared', hash: 'key-shared', account_id: 'shared-gone', user_id: 'user-other' },
    ],
    computers: [{ ...computers[0]!, id: 'shared-gone', account_id: 'shared-gone' }],
    events: [
      teamEvent('1', { actor: 'user:user-gone', data: '{"role":"owner"}' }),
      teamEvent('2', { actor: 'user:user-other', data: '{"userId":"user-gone","to":"admin"}' }),
      teamEvent('3', { actor: 'user:user-other', data: '{"email":"gone@example.com"}' }),
      teamEvent('4', { actor: 'user:user-other', data: '{"email":"other@example.com"}' }),
    ],
    memory_files: ['team', 'alone-gone', 'shared-gone'].map((account_id) => ({
      account_id,
      path: 'a',
      content: new Uint8Array([1]),
      size: 1,
      modified_at: 1,
    })),
  })
}

function teamEvent(id: string, of: Pick<Database['events'], 'actor' | 'data'>): Database['events'] {
  return { id: `of-team-${id}`, account_id: 'team', computer_id: null, type: 't', ...of, at: 1 }
}

/** Returns a row of the team as it has to be afterwards: it stays, and names nobody. */
function blanked(row: string): string {
  if (row.includes('"id":"team"')) return row.replace('"user-gone"', 'null')
  if (!row.includes('of-team')) return row
  return row
    .replace('user:user-gone', 'user:')
    .replace(/"(user-gone|gone@example\.com)\\?"/, (name) => (name.endsWith('\\"') ? String.raw`"\"` : '""'))
}

/** Removes every row, those that name others before these. */
async function empty(db: Kysely<Database>): Promise<void> {
  const ofUsers = Object.keys(oneOfEach('', null)) as (keyof Database)[]
  const ofServers = tables.filter((table) => !ofUsers.includes(table))
  for (const table of [...ofServers, ...ofUsers].toReversed()) await db.deleteFrom(table).execute()
}

function serve(db: Kysely<Database>, host: Host, ownerId = 'owner'): Engine {
  const driver: Driver = Object.assign(Object.create(base.driver), {
    destroy: (id: string) => host.remove(host.computers, id),
    forget: (id: string) => host.remove(host.outputs, id),
    snapshotUse: async () => undefined,
    deleteSnapshot: (id: string) => host.remove(host.snapshots, id),
    process: () => undefined,
  })
  const mail: Mail = Object.assign(Object.create(base.mail), {
    forget: (address: string) => host.remove(host.mails, address),
  })
  const recorder: ProcessRecorder = Object.assign(Object.create(base.recorder), { flush: async () => {} })
  return {
    ...base,
    db,
    driver,
    mail,
    recorder,
    locks: new Locks(),
    activity: new Activity(),
    exposedPorts: new ExposedPorts(),
    liveEvents: new LiveEvents(),
    meter: new ComputeMeter(),
    credit: new CreditWatch(defaultPrices),
    accountRemovals: new AccountRemovals(),
    server: { ...base.server, ownerId },
  }
}

async function contents(db: Kysely<Database>): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {}
  for (const table of tables)
    found[table] = (await db.selectFrom(table).selectAll().execute()).map((row) => JSON.stringify(row)).toSorted()
  return found
}

async function isGone(db: Kysely<Database>): Promise<boolean> {
  const left = [
    await db.selectFrom('users').select('id').where('id', '=', 'user-gone').execute(),
    await db.selectFrom('accounts').select('id').where('id', '=', 'shared-gone').execute(),
  ]
  return left.flat().length === 0
}

/** Asserts that nothing is left but facts of the ledger, by ids alone, and that nothing of others is missing. */
async function assertGone(db: Kysely<Database>, host: Host, before: Record<string, string[]>): Promise<void> {
  const after = await contents(db)
  for (const table of tables) {
    const rest = after[table]!.filter((row) => row.includes('gone'))
    const isOfLedger = deletionPlan[table] === 'ledger' || table === 'usage_intervals'
    if (!isOfLedger) assert.deepEqual(rest, [], table)
    for (const row of rest) assert.doesNotMatch(row, /@|Name/, table)
    const others = before[table]!.map(blanked).filter((row) => !row.includes('gone'))
    // A member of the team became its owner.
    const expected = table === 'memberships' ? others.map((row) => row.replace('"member"', '"owner"')) : others
    assert.deepEqual(
      after[table]!.filter((row) => !row.includes('gone')),
      expected.toSorted(),
      table,
    )
  }
  const charged = after['usage_intervals']!.filter((row) => row.includes('gone'))
  assert.deepEqual(charged.length, 1, 'the charge is explained')
  assert.ok(after['memory_files']!.some((row) => row.includes('team')))
  for (const left of [host.computers, host.outputs, host.snapshots, host.mails])
    assert.deepEqual(
      [...left].filter((id) => id.includes('gone')),
      [],
    )
  assert.deepEqual([host.computers.size, host.outputs.size, host.snapshots.size, host.mails.size], [2, 2, 1, 2])
}

test('every table of the database has a plan, and a row of the deleted user in this test', async () => {
  await using mortal = await MortalDatabase.make()
  assert.deepEqual((await tablesOf(mortal.db)).toSorted(), tables.toSorted())
  const own = oneOfEach('gone', 1)
  for (const table of tables) {
    const rows = table in own ? own[table as keyof typeof own] : []
    assert.equal(rows.length > 0, deletionPlan[table] !== 'server', table)
  }
})

test('a user or a workspace whose deletion is not due stays', async () => {
  await using mortal = await MortalDatabase.make()
  const host = new Host()
  await fill(mortal.db, host)
  const set = { delete_at: Date.now() + 60_000 }
  await mortal.db.updateTable('users').set(set).where('id', '=', 'user-gone').execute()
  await mortal.db.updateTable('accounts').set(set).where('id', '=', 'shared-gone').execute()
  const before = await contents(mortal.db)
  await deleteDue(serve(mortal.db, host))
  assert.deepEqual(await contents(mortal.db), before)
})

test('a user whose only workspace is the owner account is deleted without it', async () => {
  await using mortal = await MortalDatabase.make()
  const { db } = mortal
  const host = new Host()
  await fill(db, host)
  await db.deleteFrom('memberships').where('account_id', '=', 'alone-gone').execute()
  await db.updateTable('accounts').set({ delete_at: null }).execute()
  const own = ['account-gone', 'account-other', 'alone-gone', 'shared-gone', 'team']
  const server = serve(db, host, 'account-gone')
  for (let pass = 0; pass < 6; pass++) await deleteDue(server)
  const idsOf = async (table: 'users' | 'accounts') =>
    (await db.selectFrom(table).select('id').orderBy('id').execute()).map(({ id }) => id)
  assert.deepEqual([await idsOf('users'), await idsOf('accounts')], [['user-other'], own])
  const memories = await db.selectFrom('memory_files').select('account_id').execute()
  assert.ok(memories.some(({ account_id }) => account_id === 'account-gone'))
  for (const table of ['tokens', 'identities'] as const)
    assert.deepEqual(await db.selectFrom(table).select('user_id').where('user_id', '=', 'user-gone').execute(), [])
  assert.equal(host.computers.size, 5)
})

test('a workspace that is deleted by itself takes nothing of its members along', async () => {
  await using mortal = await MortalDatabase.make()
  const { db } = mortal
  const host = new Host()
  await fill(db, host)
  await db.updateTable('users').set({ delete_at: null }).execute()
  const before = await contents(db)
  const server = serve(db, host)
  for (let pass = 0; pass < 6; pass++) await deleteDue(server)
  const after = await contents(db)
  for (const table of tables) {
    const isOfWorkspace = (row: string) => /shared-gone|key-shared/.test(row)
    const expected = before[table]!.filter((row) => !isOfWorkspace(row))
    assert.deepEqual(
      after[table]!.filter((row) => !row.includes('"computer.deleted"') && !isOfWorkspace(row)),
      expected,
      table,
    )
  }
  assert.deepEqual(
    after.accounts!.filter((row) => row.includes('shared-gone')),
    [],
  )
})

/** The statements are the same on PostgreSQL, where each takes a round trip: it dies at every fifth. */
const stride = runsOnPostgres ? 5 : 1

for (const [what, dyingAt] of [
  ['statement of the database', (mortal: MortalDatabase) => mortal],
  ['piece of work on the host', (_mortal: MortalDatabase, host: Host) => host],
] as const)
  test(
    `a server that dies at any ${what} leaves nothing that the next one does not delete`,
    { timeout: 300_000 },
    async () => {
      await using mortal = await MortalDatabase.make()
      let deaths = 0
      for (const dies of ['before', 'after'] as const)
        for (let step = 0; ; step += stride) {
          const host = new Host()
          await empty(mortal.db)
          await fill(mortal.db, host)
          const before = await contents(mortal.db)
          dyingAt(mortal, host).dieAt(step, dies)
          const first = serve(mortal.db, host)
          for (let pass = 0; pass < 4; pass++) await deleteDue(first).catch(() => {})
          await mortal.revive()
          host.revive()
          const wasDone = await isGone(mortal.db)
          const next = serve(mortal.db, host)
          for (let pass = 0; pass < 6 && !(await isGone(mortal.db)); pass++) await deleteDue(next)
          await assertGone(mortal.db, host, before)
          if (wasDone) break
          deaths++
          assert.ok(step < 500)
        }
      assert.ok(deaths * stride >= 8, `it died ${deaths} times`)
    },
  )
