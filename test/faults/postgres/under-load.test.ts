import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import { settleRunning } from '../../../src/engine/money/usage/settle-usage.ts'
import { verifyBooks } from '../../../src/engine/money/ledger/verify-books.ts'
import { Cleanup } from '../../support/cleanup.ts'
import { PostgresProxy } from '../../support/postgres-proxy.ts'
import { serverDatabaseUrl } from '../../support/server-database.ts'
import { newSession, until } from '../../support/server.ts'
import { TestApp } from '../../support/test-app.ts'

const rounds = 25
const maxAttempts = 400

describe('a server under load whose connections are lost at random', { timeout: 120_000 }, () => {
  const cleanup = new Cleanup()
  const unhandled: unknown[] = []
  const note = (error: unknown) => void unhandled.push(error)
  let proxy: PostgresProxy
  let app: TestApp
  before(async () => {
    process.on('unhandledRejection', note)
    proxy = await PostgresProxy.start(cleanup, (await serverDatabaseUrl())!)
    app = await TestApp.start({
      env: { CARREL_SWEEP_INTERVAL_MS: '200', CARREL_WARM_COMPUTERS: '2' },
      databaseUrl: proxy.url,
    })
  })
  after(async () => {
    await app.stop()
    await cleanup.run()
    process.off('unhandledRejection', note)
  })

  /** Repeats a request with a key until it is answered, as clients do. Returns the id of its process. */
  async function run(sessionId: string, key: string): Promise<string> {
    const request = { code: `echo ${key} >> /workspace/log; echo ${key}`, language: 'shell', sessionId }
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const { status, body } = await app.post('/execute', request, { headers: { 'idempotency-key': key } })
      if (status === 200) {
        assert.equal(body.result.stdout, `${key}\n`)
        return body.processId
      }
      assert.ok(status === 503 || body.code === 'IDEMPOTENCY_IN_PROGRESS', JSON.stringify(body))
      await delay(20)
    }
    throw new Error(`${key} is never answered`)
  }

  /** Loses connections, all of them or one that commits, until the work is done. */
  async function loseConnectionsDuring(work: Promise<unknown>): Promise<void> {
    let isOver = false
    const over = work.finally(() => (isOver = true))
    for (let turn = 0; !isOver; turn++) {
      if (turn % 4 === 0) proxy.cut()
      else if (turn % 4 === 1) {
        await proxy.refuse()
        await delay(100)
        await proxy.accept()
      } else
        await Promise.race([proxy.loseCommit(turn % 4 === 2 ? 'before' : 'after'), over.catch(() => {}), delay(200)])
      await delay(Math.random() * 100)
    }
    await proxy.accept()
    await over
  }

  test('carries each request out once, and records and charges it once', async () => {
    const sessions = Array.from({ length: 5 }, () => newSession())
    const processIds: string[] = []
    const clients = sessions.map(async (sessionId) => {
      for (let round = 0; round < rounds; round++) processIds.push(await run(sessionId, `${sessionId}-${round}`))
    })
    await loseConnectionsDuring(Promise.all(clients))

    await until(
      () => app.call('GET', '/health', undefined, { token: null }),
      ({ body }) => body.helpers.database.status === 'ok',
    )
    for (const sessionId of sessions) {
      const { stdout } = await app.shell('cat /workspace/log', { sessionId })
      assert.deepEqual(
        stdout.trim().split('\n'),
        Array.from({ length: rounds }, (_, round) => `${sessionId}-${round}`),
      )
    }
    const ended = await until(
      () =>
        app.db
          .selectFrom('processes')
          .select('id')
          .where('id', 'in', processIds)
          .where('state', '=', 'ended')
          .execute(),
      (rows) => rows.length === processIds.length,
    )
    assert.equal(ended.length, sessions.length * rounds)
    await settleRunning(app.engine)
    const { intervals, problems } = await verifyBooks(app.db, 0)
    assert.ok(intervals > 0)
    assert.deepEqual(problems, [])
    assert.deepEqual(unhandled, [])
  })
})
