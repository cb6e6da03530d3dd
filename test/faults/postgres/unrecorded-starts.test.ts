import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Engine } from '../../../src/engine/engine.ts'
import { settleInconsistent } from '../../../src/engine/computers/lifecycle/reconcile.ts'
import { runStatements } from '../../support/run-statements.ts'
import { serverDatabaseUrl } from '../../support/server-database.ts'
import { newSession, until } from '../../support/server.ts'
import { TestApp } from '../../support/test-app.ts'

/** Whatever runs without being recorded would not be charged, and its owner could not use it until the next start. */
describe('a computer that starts while the database takes no changes', { timeout: 60_000 }, () => {
  let app: TestApp
  let engine: Engine
  before(async () => {
    app = await TestApp.start({ env: { CARREL_SWEEP_INTERVAL_MS: '3600000' } })
    ;({ engine } = app)
  })
  after(() => app.stop())

  /** Lets PostgreSQL refuse a change of computers during work, as on a full disk. */
  async function refusing(change: string, work: () => Promise<void>): Promise<void> {
    const url = (await serverDatabaseUrl())!
    await runStatements(
      url,
      `create function fail() returns trigger language plpgsql as $$ begin raise exception using errcode = '53100'; end $$`,
      `create trigger fail before update on computers for each row when (${change}) execute function fail()`,
    )
    try {
      await work()
    } finally {
      await runStatements(url, 'drop function fail cascade')
    }
  }

  const refused = async (sessionId: string) => {
    const { status, body } = await app.post('/execute', { code: 'true', language: 'shell', sessionId })
    assert.deepEqual([status, body.code], [503, 'NO_CAPACITY'])
  }
  const rowOf = (name: string) =>
    app.db.selectFrom('computers').selectAll().where('name', '=', name).executeTakeFirstOrThrow()
  const runs = async (id: string) => (await app.driver.get(id))?.running ?? false

  test('does not run when that cannot be recorded, and works with the next request', async () => {
    const name = newSession()
    await refusing(`new.state = 'running'`, () => refused(name))
    assert.equal(await runs((await rowOf(name)).id), false)
    assert.equal((await app.shell('echo hi', { sessionId: name })).stdout, 'hi\n')
  })

  test('is settled by the periodic work where it had stopped before', async () => {
    const name = newSession()
    await app.shell('true', { sessionId: name })
    const { id } = await rowOf(name)
    await app.driver.destroy(id)
    await settleInconsistent(engine)
    await refusing(`new.state = 'running'`, () => refused(name))
    assert.deepEqual([(await rowOf(name)).state, await runs(id)], ['starting', false])
    await settleInconsistent(engine)
    assert.equal((await rowOf(name)).state, 'stopped')
    assert.equal((await app.shell('echo hi', { sessionId: name })).stdout, 'hi\n')
  })

  test('is settled by the next request', async () => {
    const name = newSession()
    await app.shell('true', { sessionId: name })
    const { id } = await rowOf(name)
    for (const state of ['starting', 'stopping'] as const) {
      await app.driver.destroy(id)
      await app.db.updateTable('computers').set({ state }).where('id', '=', id).execute()
      assert.equal((await app.shell('echo hi', { sessionId: name })).stdout, 'hi\n')
    }
  })

  test('of the warm pool is ended when it cannot be given away, and another one is started', async () => {
    engine.settings.warmComputers = 1
    engine.warmPool.fill()
    await until(
      async () => engine.warmPool.ready,
      (ready) => ready === 1,
    )
    const name = newSession()
    const warm = await app.db
      .selectFrom('computers')
      .select('id')
      .where('account_id', 'is', null)
      .executeTakeFirstOrThrow()
    await refusing('old.account_id is null', () => refused(name))
    assert.equal(await runs(warm.id), false)
    await until(
      async () => engine.warmPool.ready,
      (ready) => ready === 1,
    )
    await settleInconsistent(engine)
    assert.equal(
      await app.db.selectFrom('computers').select('id').where('id', '=', warm.id).executeTakeFirst(),
      undefined,
    )
    assert.equal((await app.shell('echo hi', { sessionId: name })).stdout, 'hi\n')
  })
})
