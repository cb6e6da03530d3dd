import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Kysely } from 'kysely'
import { pino } from 'pino'
import { limits } from '../../src/config/limits.ts'
import type { ComputerRow, Database, PaymentRow } from '../../src/db/schema.ts'
import type { AccessibleComputer } from '../../src/engine/computers/access/open-computer.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { createSandbox } from '../../src/engine/computers/lifecycle/create-sandbox.ts'
import { newComputer } from '../../src/engine/computers/lifecycle/new-computer.ts'
import { exposePort } from '../../src/engine/computers/ports/expose-port.ts'
import { createApiKey } from '../../src/engine/identity/accounts/api-keys.ts'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import type { Authenticated } from '../../src/engine/identity/accounts/tokens.ts'
import { signIn } from '../../src/engine/identity/auth/sign-in.ts'
import { changeRole, removeMember } from '../../src/engine/identity/workspaces/members.ts'
import { createWorkspace } from '../../src/engine/identity/workspaces/workspaces.ts'
import { claimNode } from '../../src/engine/nodes/claim-node.ts'
import { writeMemory } from '../../src/engine/memory/memory-files.ts'
import { grantFirstCredit } from '../../src/engine/money/ledger/grant.ts'
import {
  abandonPayment,
  beginPayment,
  recordFailed,
  recordPaid,
} from '../../src/engine/money/machine-payments/payment-records.ts'
import type { Challenge } from '../../src/engine/money/machine-payments/payment-library.ts'
import { holdForReview } from '../../src/engine/money/payments/hold-for-review.ts'
import { findOrInsertPayment, insertPayment, updatePayment } from '../../src/engine/money/payments/payments.ts'
import { startPayment } from '../../src/engine/money/payments/start-payment.ts'
import { transaction } from '../../src/db/transaction.ts'
import { testEngine } from '../support/test-engine.ts'
import { twoConnections } from '../support/two-connections.ts'

/** Rules over several rows, which two servers of one database apply at the same time: none relies on a lock in memory. */

interface Servers {
  dbs: [Kysely<Database>, Kysely<Database>]
  accountId: string
}

async function servers(t: TestContext): Promise<Servers> {
  const dbs = await twoConnections(t)
  return { dbs, accountId: await createAccount(dbs[0], 'account') }
}

/** Does something several times at once, at both servers. Returns the error codes; undefined for what succeeded. */
function race(
  { dbs }: Servers,
  times: number,
  work: (db: Kysely<Database>, index: number) => Promise<unknown>,
): Promise<(string | undefined)[]> {
  return Promise.all(
    Array.from({ length: times }, async (_, index) => {
      try {
        await work(dbs[index % 2]!, index)
        return undefined
      } catch (error) {
        return String((error as { code?: unknown }).code ?? error)
      }
    }),
  )
}

function assertOneSucceeded(codes: (string | undefined)[], refusal: string): void {
  assert.deepEqual(
    codes.toSorted((a, b) => String(a).localeCompare(String(b))),
    Array.from(codes, (_, index) => (index === codes.length - 1 ? undefined : refusal)),
  )
}

const log = pino({ level: 'silent' })

function ownerOf(accountId: string, userId: string | null = null): Authenticated {
  return { accountId, userId, tokenId: 'token', kind: 'session', role: 'owner', scopes: null, expiresAtMs: null }
}

/** Creates a user who signed in by mail. */
function newUser(db: Kysely<Database>, name: string) {
  const email = `${name}@example.com`
  const settings = { signUp: true, firstCredit: [], firstCreditsPerDay: 0, firstCreditsPerNetwork: 0 } as never
  return signIn(
    { db, settings, prices: { newAccountMicros: 0 } as never },
    {
      provider: 'email',
      subject: email,
      name,
      email,
      emailIsVerified: true,
    },
  )
}

test('an account gets no more API keys than its limit', async (t) => {
  const all = await servers(t)
  const create = (db: Kysely<Database>, index: number) =>
    createApiKey({ db }, ownerOf(all.accountId), { name: `key ${index}` })
  for (let index = 1; index < limits.apiKeysPerAccount; index++) await create(all.dbs[0], index)
  assertOneSucceeded(await race(all, 6, create), 'limit_reached')
})

test('a user gets no more workspaces than the limit', async (t) => {
  const all = await servers(t)
  const { userId, accountId } = await newUser(all.dbs[0], 'ada')
  const create = (db: Kysely<Database>, index: number) =>
    createWorkspace({ db }, ownerOf(accountId, userId), `workspace ${index}`)
  for (let index = 1; index < limits.workspacesPerUser; index++) await create(all.dbs[0], index)
  assertOneSucceeded(await race(all, 6, create), 'limit_reached')
})

test('the same user who signs in twice at once is one user', async (t) => {
  const all = await servers(t)
  assert.deepEqual(new Set(await race(all, 6, (db) => newUser(db, 'ada'))), new Set([undefined]))
  assert.equal((await all.dbs[0].selectFrom('users').select('id').execute()).length, 1)
})

test('memory stays within its quota', async (t) => {
  const all = await servers(t)
  const half = new Uint8Array(limits.memoryQuotaBytes / 2 + 1)
  assertOneSucceeded(
    await race(all, 4, (db, index) => writeMemory({ db }, all.accountId, `file ${index}`, half)),
    'disk_full',
  )
})

test('a workspace keeps an owner when its owners leave, or demote each other, at once', async (t) => {
  const all = await servers(t)
  const [db] = all.dbs
  const [ada, ben] = [await newUser(db, 'ada'), await newUser(db, 'ben')]
  const liveConnections = { endLapsed: async () => {} } as never
  const change = {
    leave: (each: Kysely<Database>, accountId: string, userId: string) =>
      removeMember({ db: each, liveConnections }, ownerOf(accountId, userId), userId),
    demote: (each: Kysely<Database>, accountId: string, userId: string) =>
      changeRole({ db: each }, ownerOf(accountId, userId), userId === ada.userId ? ben.userId : ada.userId, 'member'),
  }
  for (const [how, refusal] of [
    ['leave', 'conflict'],
    ['demote', 'forbidden'],
  ] as const) {
    const { id } = await createWorkspace({ db }, ownerOf(ada.accountId, ada.userId), 'team')
    await db
      .insertInto('memberships')
      .values({ account_id: id, user_id: ben.userId, role: 'owner', created_at: 1 })
      .execute()
    const codes = await race(all, 2, (each, index) => change[how](each, id, [ada, ben][index]!.userId))
    assertOneSucceeded(codes, refusal)
    const owners = await db
      .selectFrom('memberships')
      .select('user_id')
      .where('account_id', '=', id)
      .where('role', '=', 'owner')
      .execute()
    assert.equal(owners.length, 1, how)
  }
})

test('an account opens no more payments than its limit', async (t) => {
  const all = await servers(t)
  const both = await engines(t, all.dbs)
  const start = (_: Kysely<Database>, index: number) =>
    startPayment(both[index % 2]!, ownerOf(all.accountId), { amountCents: 1000 })
  for (let count = 1; count < limits.openPaymentsPerAccount; count++)
    await insertPayment(all.dbs[0], { accountId: all.accountId, method: 'play_money', cents: 1000 })
  assertOneSucceeded(await race(all, 6, start), 'limit_reached')
})

/** Returns the engines of two servers, each with locks and a node of its own. */
async function engines(t: TestContext, dbs: Servers['dbs']): Promise<[Engine, Engine]> {
  const [one, other] = [await engineOf(t, dbs[0], 'one'), await engineOf(t, dbs[1], 'other')]
  return [one, other]
}

async function engineOf(t: TestContext, db: Kysely<Database>, nodeId: string): Promise<Engine> {
  const node = await claimNode(db, nodeId, { address: 'http://x', cpus: 1, memory_bytes: 1, disk_bytes: 1 })
  const engine = await testEngine({ db, node, env: { CARREL_PLAY_MONEY: 'on', CARREL_PUBLIC_URL: '' } })
  t.after(() => engine.driver.close())
  return engine
}

test('one sandbox is created for a name, and both servers get it', async (t) => {
  const all = await servers(t)
  const both = await engines(t, all.dbs)
  const owner = ownerOf(both[0].server.ownerId)
  const rows = await Promise.all(
    Array.from({ length: 6 }, (_, index) => createSandbox(both[index % 2]!, owner, 'same')),
  )
  assert.equal(new Set(rows.map(({ id }) => id)).size, 1)
})

test('an account gets no more sandboxes than its limit', async (t) => {
  const all = await servers(t)
  const both = await engines(t, all.dbs)
  const accountId = both[0].server.ownerId
  const rows = Array.from({ length: limits.computersPerAccount - 1 }, (_, index): ComputerRow => ({
    ...newComputer(both[0], { accountId, name: `sandbox ${index}` }),
    state: 'running',
  }))
  for (let start = 0; start < rows.length; start += 100)
    await all.dbs[0]
      .insertInto('computers')
      .values(rows.slice(start, start + 100))
      .execute()
  assertOneSucceeded(
    await race(all, 6, (_, index) => createSandbox(both[index % 2]!, ownerOf(accountId), `another ${index}`)),
    'limit_reached',
  )
})

test('a warm computer is given away once, and not for a name that the account has', async (t) => {
  const { dbs } = await servers(t)
  const engine = await engineOf(t, dbs[0], 'one')
  const { warmPool, server } = engine
  const warm = async () => {
    const row: ComputerRow = { ...newComputer(engine, undefined), state: 'running' }
    await dbs[0].insertInto('computers').values(row).execute()
    return row.id
  }
  const id = await warm()
  warmPool.adopt(id)
  warmPool.adopt(id)
  const owners = ['one', 'two'].map((name) => ({ accountId: server.ownerId, name, actor: 'token' }))
  const taken = await Promise.all(owners.map((owner) => warmPool.take(owner)))
  assert.equal(taken.filter((row) => row !== undefined).length, 1)

  const other = await warm()
  warmPool.adopt(other)
  const had = taken[0] ? owners[0]! : owners[1]!
  assert.equal(await warmPool.take(had), undefined)
  assert.equal((await warmPool.take({ ...had, name: 'three' }))?.id, other)
})

test('a computer exposes no more ports than the limit, and each once', async (t) => {
  const all = await servers(t)
  const engine = await engineOf(t, all.dbs[0], 'one')
  const row = newComputer(engine, { accountId: all.accountId, name: 'ports' })
  await all.dbs[0].insertInto('computers').values(row).execute()
  const opened = { id: row.id, accountId: all.accountId, caller: ownerOf(all.accountId), row }
  const computer = opened as unknown as AccessibleComputer<'run'>
  const expose = (db: Kysely<Database>, port: number) => exposePort({ db, node: engine.node }, computer, port)
  assert.deepEqual(new Set(await race(all, 4, (db) => expose(db, 1))), new Set([undefined]))
  const events = all.dbs[0].selectFrom('events').select('id').where('type', '=', 'port.exposed')
  assert.equal((await events.execute()).length, 1)
  for (let port = 2; port < limits.portsPerComputer; port++) await expose(all.dbs[0], port)
  assertOneSucceeded(await race(all, 6, (db, index) => expose(db, 1000 + index)), 'limit_reached')
})

test('an account gets its first credit once, also of servers with other prices', async (t) => {
  const all = await servers(t)
  const codes = await race(all, 6, (db, index) =>
    grantFirstCredit(db, [all.accountId], { newAccountMicros: 1000 + (index % 2), overdraftMicros: 0 }),
  )
  assert.deepEqual(new Set(codes), new Set([undefined]))
  const grants = await all.dbs[0].selectFrom('ledger_transactions').select('amount_micros').execute()
  assert.equal(grants.length, 1)
})

test('a PaymentIntent that both learn of has one payment, and is held for review once', async (t) => {
  const all = await servers(t)
  const [db] = all.dbs
  const payment = { accountId: all.accountId, method: 'stripe', cents: 500, intentId: 'pi_1' }
  const rows: PaymentRow[] = []
  await race(all, 6, async (each) => void rows.push(await findOrInsertPayment(each, payment)))
  assert.deepEqual([rows.length, new Set(rows.map(({ id }) => id)).size], [6, 1])
  await race(all, 6, (each) => holdForReview({ db: each, log }, rows[0]!, { intentId: 'pi_1', reason: 'a test' }))
  const events = db.selectFrom('events').select('id').where('type', '=', 'payment.put_aside')
  assert.equal((await events.execute()).length, 1)
  const state = async () => (await db.selectFrom('payments').select('state').executeTakeFirstOrThrow()).state
  // What another server read at Stripe before the money arrived.
  for (const before of ['open', 'processing', 'failed', 'expired'] as const) {
    await updatePayment(all.dbs[1], rows[0]!, { state: before })
    assert.equal(await state(), 'review')
  }
  await updatePayment(all.dbs[1], rows[0]!, { state: 'paid' })
  assert.equal(await state(), 'paid')
})

test('a machine payment that another server has begun too is not forgotten, and one that is paid does not fail', async (t) => {
  const { dbs, accountId } = await servers(t)
  const [one, other] = dbs
  const challenge = { id: 'c', meta: { account: accountId, cents: '500', bonus: '0' } } as unknown as Challenge
  const payment = { method: 'tempo' as const, reference: '0x1', challenge }
  const state = async () => (await one.selectFrom('machine_payments').select('state').executeTakeFirst())?.state

  assert.equal(await beginPayment(one, payment), 'new')
  await abandonPayment(one, 'c')
  assert.equal(await state(), undefined)

  assert.equal(await beginPayment(one, payment), 'new')
  assert.equal(await beginPayment(other, payment), 'begun')
  assert.equal(await beginPayment(other, { ...payment, reference: '0x2' }), 'taken')
  await abandonPayment(one, 'c')
  assert.equal(await state(), 'pending')

  await transaction(other, 'durable', (trx) => recordPaid(trx, payment, 'receipt'))
  await recordFailed(one, 'c')
  assert.equal(await state(), 'paid')
})
