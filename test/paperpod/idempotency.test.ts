import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openDatabase } from '../../src/db/open.ts'
import { serverDatabase } from '../support/server-database.ts'
import { newSession } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

describe('Idempotency-Key', () => {
  let server: TestApp
  const sessionId = newSession()
  let keys = 0

  before(async () => {
    server = await TestApp.start()
  })
  after(() => server.stop())

  const newKey = () => `${sessionId}-${(keys += 1)}`
  const execute = (key: string, code: string, token?: string) =>
    server.post('/execute', { code, language: 'shell', sessionId }, { token, headers: { 'idempotency-key': key } })

  test('the same key and body run one program and get one response', async () => {
    const key = newKey()
    const first = await execute(key, 'echo x >> log; wc -l < log')
    const again = await execute(key, 'echo x >> log; wc -l < log')
    assert.deepEqual([first.status, again.status], [200, 200])
    assert.deepEqual(again.body, first.body)
    assert.equal(first.headers.get('idempotency-replayed'), null)
    assert.equal(again.headers.get('idempotency-replayed'), 'true')
    assert.equal((await server.shell('wc -l < log', { sessionId })).stdout, '1\n')
  })

  test('a response that is too large to be stored is produced again from the output of the one program', async () => {
    const key = newKey()
    const code = 'echo x >> large; yes | head -c 1200000'
    const first = await execute(key, code)
    const again = await execute(key, code)
    assert.deepEqual([first.status, first.body.result.stdout.length], [200, 1_200_000])
    assert.deepEqual([again.status, again.headers.get('idempotency-replayed')], [200, 'true'])
    assert.deepEqual(again.body.result, first.body.result)
    assert.equal((await server.shell('wc -l < large', { sessionId })).stdout, '1\n')
  })

  test('the same fields in another order are the same body', async () => {
    const options = { headers: { 'idempotency-key': newKey() } }
    const code = 'echo $A$B >> order; cat order'
    const first = await server.post(
      '/execute',
      { code, language: 'shell', sessionId, env: { A: '1', B: '2' } },
      options,
    )
    const again = await server.post(
      '/execute',
      { env: { B: '2', A: '1' }, sessionId, language: 'shell', code },
      options,
    )
    assert.deepEqual([again.status, again.headers.get('idempotency-replayed')], [200, 'true'])
    assert.deepEqual(again.body, first.body)
    const other = await server.post(
      '/execute',
      { code, language: 'shell', sessionId, env: { A: '2', B: '1' } },
      options,
    )
    assert.deepEqual([other.status, other.body.code], [409, 'IDEMPOTENCY_MISMATCH'])
  })

  test('another body, route or account is another request', async () => {
    const key = newKey()
    await execute(key, 'echo 1')
    for (const [route, body] of [
      ['/execute', { code: 'echo 2', language: 'shell', sessionId }],
      ['/process/start', { command: 'echo 1', sessionId }],
    ] as const) {
      const { status, body: answer } = await server.post(route, body, { headers: { 'idempotency-key': key } })
      assert.deepEqual([status, answer.code], [409, 'IDEMPOTENCY_MISMATCH'])
    }
    const { status, headers } = await execute(key, 'echo 1', await server.newAccount())
    assert.deepEqual([status, headers.get('idempotency-replayed')], [200, null])
  })

  test('one of ten concurrent requests runs; the others are refused as in progress, or get its response', async () => {
    const key = newKey()
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => execute(key, 'echo y >> race; sleep 0.3; echo ran')),
    )
    const ran = answers.filter(({ status }) => status === 200)
    const refused = answers.filter(({ status }) => status === 409)
    assert.ok(ran.length >= 1)
    assert.equal(ran.length + refused.length, 10)
    for (const { body } of refused)
      assert.deepEqual([body.code, body.retryable, body.action], ['IDEMPOTENCY_IN_PROGRESS', true, 'RETRY'])
    for (const { body } of ran) assert.deepEqual(body, ran[0]!.body)
    assert.equal((await server.shell('wc -l < race', { sessionId })).stdout, '1\n')
  })

  test('a client that disconnected gets the response with its key', async () => {
    const key = newKey()
    const abort = new AbortController()
    const body = JSON.stringify({ code: 'echo z >> left; sleep 0.3; echo done', language: 'shell', sessionId })
    const headers = {
      authorization: `Bearer ${server.token}`,
      'content-type': 'application/json',
      'idempotency-key': key,
    }
    const first = fetch(`${server.url}/execute`, { method: 'POST', headers, body, signal: abort.signal }).catch(
      () => {},
    )
    while ((await server.shell('cat left 2>/dev/null || true', { sessionId })).stdout === '') continue
    abort.abort()
    await first
    let answer = await execute(key, 'echo z >> left; sleep 0.3; echo done')
    for (; answer.status === 409; answer = await execute(key, 'echo z >> left; sleep 0.3; echo done'))
      assert.equal(answer.body.code, 'IDEMPOTENCY_IN_PROGRESS')
    assert.deepEqual([answer.status, answer.body.result.stdout], [200, 'done\n'])
    assert.equal((await server.shell('wc -l < left', { sessionId })).stdout, '1\n')
  })

  test('/process/start and /expose support it too', async () => {
    for (const [route, body, field] of [
      ['/process/start', { command: 'sleep 5', sessionId }, 'id'],
      ['/expose', { port: 8080, sessionId }, 'exposedAt'],
    ] as const) {
      const options = { headers: { 'idempotency-key': newKey() } }
      const first = await server.post(route, body, options)
      const again = await server.post(route, body, options)
      assert.equal(again.headers.get('idempotency-replayed'), 'true')
      assert.equal(again.body[field], first.body[field])
    }
  })

  test('a refusal of an invalid request is stored as well', async () => {
    const options = { headers: { 'idempotency-key': newKey() } }
    const body = { command: 'true', cwd: '/none', sessionId }
    const first = await server.post('/process/start', body, options)
    const again = await server.post('/process/start', body, options)
    assert.deepEqual([first.status, again.status], [404, 404])
    assert.deepEqual(again.body, first.body)
  })

  test('a body that the schema refuses does not use up the key', async () => {
    const key = newKey()
    const refused = await server.post('/execute', { code: 1 }, { headers: { 'idempotency-key': key } })
    assert.equal(refused.status, 400)
    assert.equal((await execute(key, 'true')).status, 200)
  })

  test('a key of 255 characters is accepted, a longer one refused with 400', async () => {
    assert.equal((await execute(newKey().padEnd(255, 'k'), 'true')).status, 200)
    const { status, body } = await execute(newKey().padEnd(256, 'k'), 'true')
    assert.deepEqual([status, body.code], [400, 'INVALID_REQUEST'])
  })

  test('a large response below that limit is stored unchanged', async () => {
    const key = newKey()
    const doubled = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do cat bytes bytes > more; mv more bytes; done'
    await server.shell(`printf '\\377\\376' > bytes; ${doubled}; truncate -s 100000 zeros`, { sessionId })
    const first = await execute(key, 'cat zeros; cat bytes >&2')
    const again = await execute(key, 'cat zeros; cat bytes >&2')
    assert.deepEqual([again.status, again.headers.get('idempotency-replayed')], [200, 'true'])
    assert.ok(first.body.result.stdout === '\0'.repeat(100_000) && first.body.result.stderrBase64.length === 87_384)
    assert.deepEqual(again.body, first.body)
  })

  test('output of processes is not stored a second time, however many keys there are', async () => {
    const code = 'yes | head -c 400000'
    const options = Array.from({ length: 20 }, () => ({ headers: { 'idempotency-key': newKey() } }))
    for (const one of options)
      assert.equal((await server.post('/execute', { code, language: 'shell', sessionId }, one)).status, 200)
    const db = await openDatabase(await serverDatabase())
    const rows = await db.selectFrom('idempotency').selectAll().orderBy('created_at', 'desc').limit(20).execute()
    await db.destroy()
    assert.ok(rows.reduce((sum, { body }) => sum + (body?.length ?? 0), 0) < 20_000)
    const again = await server.post('/execute', { code, language: 'shell', sessionId }, options[0])
    assert.equal(again.headers.get('idempotency-replayed'), 'true')
    assert.ok(again.body.result.stdout === 'y\n'.repeat(200_000))
  })

  test('the discovery document says which routes support it', async () => {
    const { body } = await server.call('GET', '/')
    const named = Object.entries<{ idempotent?: string }>(body.endpoints).filter(([, { idempotent }]) => idempotent)
    const expected = ['POST /execute', 'POST /expose', 'POST /interpret', 'POST /process/start']
    assert.deepEqual(named.map(([route]) => route).toSorted(), expected)
  })
})
