import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { limits } from '../../config/limits.ts'
import type { ProcessHandle } from '../../drivers/driver.ts'
import { MemoryDriver } from '../../drivers/memory/memory-driver.ts'
import { MemoryHost } from '../../drivers/memory/memory-host.ts'
import { Cleanup } from '../../../test/support/cleanup.ts'
import { openTestDatabase } from '../../../test/support/test-database.ts'
import { testEngine } from '../../../test/support/test-engine.ts'
import { createAccount } from '../identity/accounts/owner.ts'
import type { Engine } from '../engine.ts'
import { abandonKey, claimKey, completeKey, pruneKeys, releaseKey, type Claim } from './keys.ts'

describe('idempotency keys', () => {
  const usual = { ...limits }
  const cleanup = new Cleanup()
  /** Processes that the driver knows. */
  const processes = new Set<string>()
  let engine: Engine
  let accountId = ''
  before(async () => {
    const db = await openTestDatabase(cleanup, { inFile: true })
    const driver = Object.assign(MemoryDriver.open(new MemoryHost()), {
      process: (id: string) => (processes.has(id) ? ({} as ProcessHandle) : undefined),
    })
    engine = await testEngine({ db, driver })
    Object.assign(limits, { idempotencyKeysPerAccount: 80, idempotentBytesPerAccount: 8000 })
  })
  beforeEach(async () => {
    accountId = await createAccount(engine.db, 'test')
  })
  after(async () => {
    Object.assign(limits, usual)
    await engine.driver.close()
    await cleanup.run()
  })

  const request = (key: string) => ({ accountId, key, method: 'POST', path: '/x', body: { key } })
  async function answer(key: string, bytes: number): Promise<Claim> {
    const claim = (await claimKey(engine, request(key))) as Claim
    await completeKey(engine, claim, { status: 200, body: 'x'.repeat(bytes) })
    return claim
  }
  const rows = () =>
    engine.db.selectFrom('idempotency').selectAll().where('account_id', '=', accountId).orderBy('created_at').execute()
  const storedBytes = async () => (await rows()).reduce((sum, { bytes }) => sum + Number(bytes), 0)

  test('responses are limited per account: the oldest are dropped first, and a key without one is not carried out twice', async () => {
    for (let index = 0; index < 30; index++) {
      await answer(`k${String(index).padStart(2, '0')}`, 1000)
      assert.ok((await storedBytes()) <= 8000)
    }
    assert.equal((await rows()).length, 30)
    assert.deepEqual(await claimKey(engine, request('k29')), { status: 200, body: 'x'.repeat(1000) })
    await assert.rejects(claimKey(engine, request('k00')), { code: 'conflict' })
    for (const row of await rows()) if (row.state === 'dropped') assert.equal(row.body, null)
  })

  test('a dropped response of a process is left to the process', async () => {
    const claim = (await claimKey(engine, request('first'))) as Claim
    processes.add(claim.processId)
    await completeKey(engine, claim, { status: 200, body: 'x'.repeat(1000) })
    for (let index = 0; index < 20; index++) await answer(`k${index}`, 1000)
    assert.deepEqual(await claimKey(engine, request('first')), { ...claim, hasStarted: true })
  })

  test('keys are limited per account: the oldest are dropped first, requests in progress stay', async () => {
    const open = (await claimKey(engine, request('open'))) as Claim
    const other = await createAccount(engine.db, 'other')
    const theirs = (await claimKey(engine, { ...request('theirs'), accountId: other })) as Claim
    for (let index = 0; index < 200; index++) {
      await answer(`k${index}`, 10)
      assert.ok((await rows()).length <= 80)
    }
    const left = new Set((await rows()).map(({ key }) => key))
    assert.ok(left.has('open') && left.has('k199') && !left.has('k0'))
    await completeKey(engine, open, { status: 200, body: 'done' })
    assert.deepEqual(await claimKey(engine, request('open')), { status: 200, body: 'done' })
    await assert.rejects(claimKey(engine, { ...request('theirs'), accountId: other }), {
      code: 'idempotency_in_progress',
    })
    await abandonKey(engine, theirs)
  })

  test('the numbers in memory are corrected by a count in the database', async () => {
    for (let index = 0; index < 10; index++) await answer(`k${index}`, 500)
    engine.responseSizes.reset([{ accountId, keys: 1_000_000, bytes: 1 }])
    await pruneKeys(engine, { unfinished: false })
    assert.deepEqual(engine.responseSizes.surplus(accountId), { keys: 0, bytes: 0 })
    await answer('one more', 500)
    assert.equal((await rows()).length, 11)
  })

  test('a key whose end could not be recorded is free again, or leads to its process', async () => {
    const failing = (work: () => Promise<unknown>) => async () => {
      const { db } = engine
      engine.db = { updateTable: unusable, deleteFrom: unusable } as never
      await assert.rejects(work(), /^Error: away$/)
      engine.db = db
    }
    const started = (await claimKey(engine, request('started'))) as Claim
    processes.add(started.processId)
    const answered = (await claimKey(engine, request('answered'))) as Claim
    const released = (await claimKey(engine, request('released'))) as Claim
    for (const key of ['started', 'answered', 'released'])
      await assert.rejects(claimKey(engine, request(key)), { code: 'idempotency_in_progress' })
    await failing(() => completeKey(engine, started, { status: 200, body: 'x' }))()
    await failing(() => completeKey(engine, answered, { status: 200, body: 'x' }))()
    await failing(() => releaseKey(engine, released))()

    assert.deepEqual(await claimKey(engine, request('started')), { ...started, hasStarted: true })
    for (const { key, processId } of [answered, released]) {
      const results = await Promise.allSettled([claimKey(engine, request(key)), claimKey(engine, request(key))])
      const [first, ...others] = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
      assert.deepEqual(others, [], 'it is carried out twice')
      assert.equal((first as Claim).hasStarted, false)
      assert.notEqual((first as Claim).processId, processId)
    }
  })
})

function unusable(): never {
  throw new Error('away')
}
