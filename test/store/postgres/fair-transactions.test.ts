import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { limits } from '../../../src/config/limits.ts'
import { repetitionsOf } from '../../../src/db/transaction.ts'
import { createAccount } from '../../../src/engine/identity/accounts/owner.ts'
import { writeMemory } from '../../../src/engine/memory/memory-files.ts'
import { claimNode } from '../../../src/engine/nodes/claim-node.ts'
import { NodeLease } from '../../../src/engine/nodes/node-lease.ts'
import { openTestDatabase } from '../../support/test-database.ts'

const content = new Uint8Array(10)

test('a write of one account waits for few of those that another account has asked for before', async (t) => {
  const db = await openTestDatabase(t)
  const [one, other] = [await createAccount(db, 'one'), await createAccount(db, 'other')]
  const order: string[] = []
  const write = (accountId: string, path: string) =>
    writeMemory({ db }, accountId, path, content).then(() => order.push(accountId))
  // To open a connection can take as long as many writes.
  await Promise.all([write(one, 'first'), write(other, 'first')])
  order.length = 0
  const flood = Array.from({ length: 100 }, (_, index) => write(one, `file ${index}`))
  await write(other, 'file')
  assert.ok(order.length <= limits.transactionsAtOnce, `it was number ${order.length}`)
  await Promise.all(flood)
  assert.ok(repetitionsOf(db) < 10, `${repetitionsOf(db)} repetitions`)
})

test('a node renews its lease while requests use all connections', async (t) => {
  const over = Promise.withResolvers<void>()
  t.after(() => over.resolve())
  const db = await openTestDatabase(t)
  const facts = { address: 'http://x', cpus: 1, memory_bytes: 1, disk_bytes: 1 }
  const node = await claimNode(db, 'node', facts)
  const lease = new NodeLease({
    db,
    node,
    log: pino({ level: 'silent' }),
    health: { report: () => {} },
    facts: () => facts,
    onLost: (error) => assert.fail(error),
  })
  const uses = Array.from({ length: limits.databaseConnections }, async () => {
    const used = Promise.withResolvers<void>()
    const use = db.connection().execute(() => {
      used.resolve()
      return over.promise
    })
    await used.promise
    return { use }
  })
  const held = await Promise.all(uses)
  await lease.renew()
  assert.equal(lease.leads, true)
  over.resolve()
  await Promise.all(held.map(({ use }) => use))
})
