import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Carrel, CarrelApiError, CarrelConnectionError, CarrelTimeoutError } from './index.ts'
import { FakeFailure } from './testing/fake-failure.ts'
import { FakeServer } from './testing/fake-server.ts'

function clientOf(server: FakeServer, more: object = {}) {
  return new Carrel({ baseUrl: server.url, token: server.token, ...more })
}

test("a refusal has the server's code, instruction and details", async () => {
  await using server = await FakeServer.start()
  server.failNext('/balance', new FakeFailure(402, 'OUT_OF_CREDITS', 'No credit is left', { topupUrl: 'https://t' }))
  await assert.rejects(clientOf(server).balance(), (error) => {
    assert.ok(error instanceof CarrelApiError)
    const { message, status, code, action, agentInstruction, requestId, retryable, details } = error
    assert.deepEqual(
      { message, status, code, action, agentInstruction, requestId, retryable, details },
      {
        message: 'No credit is left',
        status: 402,
        code: 'OUT_OF_CREDITS',
        action: 'CHECK',
        agentInstruction: 'What to do about OUT_OF_CREDITS.',
        requestId: 'req-1',
        retryable: false,
        details: { topupUrl: 'https://t' },
      },
    )
    return true
  })
})

test('a refusal is parsed alike from the envelope of every surface', async () => {
  const facts = { action: 'CHECK', retryable: false, requestId: 'r1', field: 'x' }
  for (const [body, details] of [
    [{ error: 'It is not', code: 'NOT_FOUND', ...facts }, { field: 'x' }],
    [{ error: 'NOT_FOUND', message: 'It is not' }, {}],
    [{ error: { code: 'not_found', message: 'It is not' }, code: 'NOT_FOUND', ...facts }, { field: 'x' }],
    [{ error: { code: 'not_found', message: 'It is not' } }, {}],
    [
      { detail: { code: 'NOT_FOUND', message: 'It is not' }, error: 'It is not', code: 'NOT_FOUND', ...facts },
      { field: 'x' },
    ],
    [{ detail: { code: 'NOT_FOUND', message: 'It is not' } }, {}],
    [{ detail: [{ loc: ['body', 'x'], msg: 'It is not' }], error: 'It is not', code: 'NOT_FOUND' }, {}],
  ] as const) {
    const error = new CarrelApiError(404, body)
    assert.deepEqual([error.message, error.code, error.details], ['It is not', 'NOT_FOUND', details])
  }
})

test('a wrong token is UNAUTHENTICATED, and health needs none', async () => {
  await using server = await FakeServer.start()
  const client = clientOf(server, { token: 'wrong' })
  await assert.rejects(client.balance(), { name: 'CarrelApiError', code: 'UNAUTHENTICATED', status: 401 })
  assert.equal((await client.health()).status, 'ok')
})

test('a busy server and an interrupted GET are retried', async () => {
  await using server = await FakeServer.start()
  server.failNext('/balance', new FakeFailure(503, 'UNAVAILABLE', 'Busy', { retryAfter: 0 }), 'cut')
  assert.equal((await clientOf(server).balance()).creditsRemaining, 4.5)
  assert.equal(server.requestsTo('/balance').length, 3)
})

test('the number of attempts is bounded', async () => {
  await using server = await FakeServer.start()
  server.failNext('/balance', ...Array.from({ length: 9 }, () => new FakeFailure(503, 'UNAVAILABLE', 'Busy')))
  await assert.rejects(clientOf(server, { maxRetries: 2 }).balance(), { code: 'UNAVAILABLE' })
  assert.equal(server.requestsTo('/balance').length, 3)
})

test('an execute whose answer is lost runs once, as the second attempt has the same key', async () => {
  await using server = await FakeServer.start()
  server.failNext('/execute', 'lose-answer')
  const answer = await clientOf(server).execute('echo once')
  assert.equal(answer.result.stdout, 'once\n')
  assert.equal(server.processes.size, 1)
  const keys = server.requestsTo('/execute').map(({ headers }) => headers['idempotency-key'])
  assert.equal(keys.length, 2)
  assert.match(String(keys[0]), /^[0-9a-f-]{36}$/)
  assert.equal(keys[0], keys[1])
})

test('two executes have different keys', async () => {
  await using server = await FakeServer.start()
  const client = clientOf(server)
  await client.execute('true')
  await client.execute('true')
  const [first, second] = server.requestsTo('/execute')
  assert.notEqual(first?.headers['idempotency-key'], second?.headers['idempotency-key'])
})

test('a request that is already running is waited for', async () => {
  await using server = await FakeServer.start()
  const busy = () => new FakeFailure(409, 'IDEMPOTENCY_IN_PROGRESS', 'It still runs')
  server.failNext('/execute', busy(), busy(), busy())
  const answer = await clientOf(server, { maxRetries: 1 }).execute('echo late')
  assert.equal(answer.result.stdout, 'late\n')
})

test('a server that does not listen is a connection error that says so', async () => {
  const server = await FakeServer.start()
  const client = clientOf(server)
  await server[Symbol.asyncDispose]()
  await assert.rejects(client.balance(), (error) => {
    assert.ok(error instanceof CarrelConnectionError)
    assert.equal(error.code, 'ECONNREFUSED')
    assert.equal(error.message, `Cannot reach "${server.url}": connection refused`)
    return true
  })
})

test('a server that never answers is a timeout', async () => {
  await using silent = await startSilentServer()
  const client = new Carrel({ baseUrl: silent.url, timeoutMs: 50 })
  await assert.rejects(client.health(), (error) => error instanceof CarrelTimeoutError && error.timeoutMs === 50)
})

test('an abort ends a request with its own reason', async () => {
  await using silent = await startSilentServer()
  const abort = new AbortController()
  const answer = new Carrel({ baseUrl: silent.url }).health({ signal: abort.signal })
  await silent.connected
  abort.abort(new Error('enough'))
  await assert.rejects(answer, { message: 'enough' })
})

test('an answer that is not from Carrel is reported as such', async () => {
  const fetch = async () => new Response('<html>', { status: 200 })
  await assert.rejects(new Carrel({ baseUrl: 'http://x', fetch }).health(), { code: 'NOT_CARREL' })
})

test("a proxy's error page becomes an error with its status", async () => {
  const fetch = async () => new Response('<html>', { status: 418, headers: { 'x-request-id': 'r9' } })
  await assert.rejects(new Carrel({ baseUrl: 'http://x', fetch }).health(), {
    code: 'HTTP_418',
    status: 418,
    requestId: 'r9',
  })
})

test('a redirect is not followed with the token, and its address is reported', async () => {
  const fetch = async () => new Response(null, { status: 308, headers: { location: 'https://y/health' } })
  await assert.rejects(new Carrel({ baseUrl: 'http://x', fetch }).health(), {
    code: 'REDIRECTED',
    message: /https:\/\/y/,
  })
})

test('a path in the base URL stays a prefix', async () => {
  const urls: string[] = []
  const fetch = async (url: unknown) => {
    urls.push(String(url))
    return Response.json({})
  }
  await new Carrel({ baseUrl: 'http://x/carrel/', fetch }).health()
  assert.deepEqual(urls, ['http://x/carrel/health'])
})

test('an address without http is refused at once', () => {
  assert.throws(() => new Carrel({ baseUrl: 'localhost:4280' }), { name: 'TypeError', message: /localhost:4280/ })
})

test("every call uses the client's session unless it names another", async () => {
  await using server = await FakeServer.start()
  const client = clientOf(server, { sessionId: 'mine' })
  await client.processes.list()
  await client.processes.list({ sessionId: 'other' })
  const bodies = server.requestsTo('/process/list').map(({ body }) => body)
  assert.deepEqual(bodies, [{ sessionId: 'mine' }, { sessionId: 'other' }])
})

test('expose() answers with the addresses', async () => {
  await using server = await FakeServer.start()
  const { url, wsUrl, port } = await clientOf(server).expose(8080)
  assert.deepEqual(
    { url, wsUrl, port },
    { url: 'http://8080-abc-p8080_v1.preview.test', wsUrl: 'ws://8080-abc-p8080_v1.preview.test', port: 8080 },
  )
})

/** Starts a server that accepts connections and never answers. */
async function startSilentServer() {
  const server = createServer()
  const connected = once(server, 'connection')
  server.on('connection', (socket) => socket.on('error', () => {}).resume())
  const sockets = new Set<{ destroy(): void }>()
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connected,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
