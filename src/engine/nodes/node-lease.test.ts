import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { limits } from '../../config/limits.ts'
import { databaseTimeMs } from '../../db/database-time.ts'
import { openTestDatabase } from '../../../test/support/test-database.ts'
import { claimNode } from './claim-node.ts'
import { NodeLease } from './node-lease.ts'

const log = pino({ level: 'silent' })
const health = { report: () => {} }
const facts = { address: 'http://127.0.0.1:1', cpus: 1, memory_bytes: 2, disk_bytes: 3 }

/** A database, and the leases of servers over it. */
async function database(t: TestContext) {
  const db = await openTestDatabase(t)
  const serve = async (id: string) => {
    const node = await claimNode(db, id, facts)
    const lost: string[] = []
    const onLost = ({ message }: Error) => void lost.push(message)
    const lease = new NodeLease({ db, node, log, health, facts: () => facts, onLost })
    await lease.renew()
    return { node, lease, lost }
  }
  const lapse = (table: 'nodes' | 'duties') => db.updateTable(table).set({ lease_until: 0 }).execute()
  const leaseOf = async (id: string) => {
    const { lease_until } = await db.selectFrom('nodes').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    return lease_until
  }
  return { db, serve, lapse, leaseOf }
}

test('one server leads, until its lease lapses and another one takes over', async (t) => {
  const { serve, lapse } = await database(t)
  const [first, second] = [await serve('a'), await serve('b')]
  assert.deepEqual([first.lease.leads, second.lease.leads], [true, false])
  await first.lease.renew()
  await second.lease.renew()
  assert.deepEqual([first.lease.leads, second.lease.leads], [true, false])
  await lapse('duties')
  await second.lease.renew()
  await first.lease.renew()
  assert.deepEqual([first.lease.leads, second.lease.leads], [false, true])
})

test('a server that stops gives up its lease and its lead at once', async (t) => {
  const { db, serve, leaseOf } = await database(t)
  const beganAt = await databaseTimeMs(db)
  const [first, second] = [await serve('a'), await serve('b')]
  assert.ok((await leaseOf('a')) >= beganAt + limits.nodeLeaseMs)
  await first.lease.release()
  assert.ok((await leaseOf('a')) <= (await databaseTimeMs(db)))
  assert.equal(first.lease.leads, false)
  await second.lease.renew()
  assert.equal(second.lease.leads, true)
})

test('a server that starts after a kill leads at once, as its predecessor on the node did', async (t) => {
  const { serve } = await database(t)
  await serve('a')
  await serve('b')
  assert.equal((await serve('a')).lease.leads, true)
})

test('a server that cannot renew its lease stops to lead when the lease is over, and goes on serving', async (t) => {
  const { db, serve } = await database(t)
  const { lease, lost } = await serve('a')
  t.mock.method(performance, 'now', () => 1e12)
  assert.equal(lease.leads, false)
  t.mock.restoreAll()
  await db.destroy()
  await assert.rejects(lease.renew())
  assert.deepEqual(lost, [])
})

test('the server whose node another one claims learns of it at the next renewal, once, and renews nothing', async (t) => {
  const { serve, lapse, leaseOf } = await database(t)
  const first = await serve('a')
  const second = await serve('a')
  assert.deepEqual([first.node.epoch, second.node.epoch], [1, 2])
  await lapse('nodes')
  await first.lease.renew()
  await first.lease.renew()
  await first.lease.release()
  assert.equal(first.lost.length, 1)
  assert.match(
    first.lost[0]!,
    /^Cannot continue: a second server has taken over node a; it uses a copy of this data directory/,
  )
  assert.equal(first.lease.leads, false)
  assert.equal(await leaseOf('a'), 0)
  await second.lease.renew()
  assert.deepEqual([second.lost, second.lease.leads], [[], true])
})

test('the server of a node that was removed ends', async (t) => {
  const { db, serve } = await database(t)
  const { lease, lost } = await serve('a')
  await db.deleteFrom('nodes').execute()
  await lease.renew()
  assert.match(lost[0]!, /^Cannot continue: node a was removed from the database/)
})
