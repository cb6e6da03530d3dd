import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openDatabase } from '../../src/db/open.ts'
import { readRecord } from '../../src/drivers/local/monitor/process-record.ts'
import { newSession, testDataDirectory, TestServer, until, type Answer } from '../support/server.ts'

describe('a request that is repeated after its server has ended', { timeout: 300_000 }, () => {
  let server: TestServer
  let keys = 0
  before(async () => {
    server = await TestServer.start()
  })
  after(() => server.stop())

  const withKey = () => ({ headers: { 'idempotency-key': `${newSession()}-${(keys += 1)}` } })
  const started = (sessionId: string) =>
    until(
      () => server.shell('cat log 2>/dev/null || true', { sessionId }),
      ({ stdout }) => stdout === 'ran\n',
    )
  const linesOfLog = async (sessionId: string) => (await server.shell('wc -l < log', { sessionId })).stdout
  const assertEnd = ({ status, headers, body }: Answer) => {
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(headers.get('idempotency-replayed'), 'true')
    const { stdout, stderr, exitCode, reason, signal, truncated } = body.result
    assert.deepEqual(
      { status: body.status, stdout, stderr, exitCode, reason, signal, truncated },
      {
        status: 'completed',
        stdout: 'early\nlate\n',
        stderr: 'warned\n',
        exitCode: 3,
        reason: 'exited',
        signal: null,
        truncated: false,
      },
    )
  }
  const withRow = async <T>(work: (db: Awaited<ReturnType<typeof openDatabase>>) => Promise<T>): Promise<T> => {
    const db = await openDatabase(join(testDataDirectory, 'carrel.db'))
    try {
      return await work(db)
    } finally {
      await db.destroy()
    }
  }

  test('after SIGKILL it waits for the process, which runs once; of two concurrent requests one waits', async () => {
    const sessionId = newSession()
    const options = withKey()
    const code = 'echo ran >> log; echo early; echo warned >&2; until [ -e go ]; do sleep 0.05; done; echo late; exit 3'
    const body = { code, language: 'shell', sessionId }
    await server.shell('true', { sessionId })
    const cut = assert.rejects(server.post('/execute', body, options), { message: 'fetch failed' })
    await started(sessionId)
    await server.stop('SIGKILL')
    await cut
    server = await TestServer.start()

    const both = [server.post('/execute', body, options), server.post('/execute', body, options)]
    const refused = await Promise.race(both)
    assert.deepEqual([refused.status, refused.body.code], [409, 'IDEMPOTENCY_IN_PROGRESS'])
    const other = await server.post('/execute', { ...body, code: 'echo other' }, options)
    assert.deepEqual([other.status, other.body.code], [409, 'IDEMPOTENCY_MISMATCH'])
    await server.shell('touch go', { sessionId })
    const answered = (await Promise.all(both)).filter(({ status }) => status === 200)
    assert.equal(answered.length, 1)
    assertEnd(answered[0]!)
    assert.deepEqual((await server.post('/execute', body, options)).body, answered[0]!.body)
    assert.equal(await linesOfLog(sessionId), '1\n')
  })

  test('after SIGKILL it gets the end of a process that ended while no server ran', async () => {
    const sessionId = newSession()
    const options = withKey()
    const code = 'echo ran >> log; echo early; echo warned >&2; sleep 1.5; echo late; exit 3'
    const body = { code, language: 'shell', sessionId }
    await server.shell('true', { sessionId })
    const cut = assert.rejects(server.post('/execute', body, options), { message: 'fetch failed' })
    await started(sessionId)
    const { processes } = (await server.post('/process/list', { sessionId })).body
    const { id } = processes.find(({ status }: { status: string }) => status === 'running')
    await server.stop('SIGKILL')
    await cut
    await until(() => readRecord(join(testDataDirectory, 'processes', id)), Boolean)
    server = await TestServer.start()
    const answer = await server.post('/execute', body, options)
    assertEnd(answer)
    assert.equal(answer.body.processId, id)
    assert.equal(await linesOfLog(sessionId), '1\n')
  })

  test('after SIGTERM, PROCESS_GOES_ON keeps the key, also over two restarts', async () => {
    const sessionId = newSession()
    const options = withKey()
    const code = 'echo ran >> log; echo early; echo warned >&2; until [ -e go ]; do sleep 0.05; done; echo late; exit 3'
    const body = { code, language: 'shell', sessionId }
    await server.shell('true', { sessionId })
    let processId: unknown
    for (let turn = 0; turn < 2; turn++) {
      // The request that is refused at once shows that the other one is being handled.
      const both = [server.post('/execute', body, options), server.post('/execute', body, options)]
      assert.equal((await Promise.race(both)).status, 409)
      await started(sessionId)
      assert.equal(await server.stop('SIGTERM'), 0)
      const [{ status, body: answer }] = (await Promise.all(both)).filter((one) => one.status !== 409) as [Answer]
      assert.deepEqual([status, answer.code, answer.retryable], [503, 'PROCESS_GOES_ON', false])
      processId ??= answer.processId
      assert.equal(answer.processId, processId)
      assert.ok(!server.log().includes('Cannot wait for process'), 'it is not a fault of the server')
      server = await TestServer.start()
    }
    await server.shell('touch go', { sessionId })
    const answer = await server.post('/execute', body, options)
    assertEnd(answer)
    assert.equal(answer.body.processId, processId)
    assert.equal(await linesOfLog(sessionId), '1\n')
  })

  test('/process/start returns the process that was started but not reported', async () => {
    const sessionId = newSession()
    const options = withKey()
    const body = { command: 'sleep 100', processId: 'web', sessionId }
    const first = await server.post('/process/start', body, options)
    assert.equal(first.status, 200)
    await server.stop('SIGKILL')
    // Restores the row to its state before the response was stored.
    const { numUpdatedRows } = await withRow((db) =>
      db
        .updateTable('idempotency')
        .set({ state: 'in_progress', status: null, body: null, process_id: first.body.id as string })
        .where('key', '=', options.headers['idempotency-key'])
        .executeTakeFirst(),
    )
    assert.equal(numUpdatedRows, 1n)
    server = await TestServer.start()
    const again = await server.post('/process/start', body, options)
    assert.deepEqual([again.status, again.body], [200, first.body])
    const { processes } = (await server.post('/process/list', { sessionId })).body
    assert.equal(processes.length, 1)
  })

  test('a request whose process never started is treated as new', async () => {
    const sessionId = newSession()
    const options = withKey()
    const body = { code: 'echo ran >> log; cat log', language: 'shell', sessionId }
    await server.shell('true', { sessionId })
    await server.stop('SIGKILL')
    await withRow(async (db) => {
      const { id } = await db.selectFrom('accounts').select('id').orderBy('created_at').executeTakeFirstOrThrow()
      const node = await db.selectFrom('nodes').select('id').executeTakeFirstOrThrow()
      await db
        .insertInto('idempotency')
        .values({
          account_id: id,
          key: options.headers['idempotency-key'],
          node_id: node.id,
          request_hash: 'of a request that was cut off',
          state: 'in_progress',
          status: null,
          body: null,
          created_at: Date.now(),
          bytes: 0,
          process_id: '00000000000000000000',
        })
        .execute()
    })
    server = await TestServer.start()
    const answer = await server.post('/execute', body, options)
    assert.deepEqual([answer.status, answer.body.result?.stdout], [200, 'ran\n'])
    assert.equal(answer.headers.get('idempotency-replayed'), null)
  })
})
