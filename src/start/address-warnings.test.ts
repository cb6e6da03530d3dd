import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimNode } from '../engine/nodes/claim-node.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'
import { addressWarnings } from './address-warnings.ts'

test('addressWarnings() warns of an address that another node has too, and of none, where there are other nodes', async (t) => {
  const db = await openTestDatabase(t)
  const serve = async (id: string, address: string) =>
    addressWarnings(db, await claimNode(db, id, { address, cpus: 1, memory_bytes: 1, disk_bytes: 1 }))
  assert.deepEqual(await serve('a', ''), [])
  assert.deepEqual(await serve('a', 'http://one'), [])
  assert.deepEqual(await serve('b', 'http://two'), [])
  assert.match((await serve('b', 'http://one')).join(), /^node a has the same address as this one, http:\/\/one, /)
  assert.match((await serve('b', '')).join(), /^this server has no address for clients of other servers; set CARREL_NO/)
})
