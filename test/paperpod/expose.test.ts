import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newSession, TestServer } from '../support/server.ts'
import { startGuestServer, type GuestServer } from './guest-server.ts'

describe('POST /expose', () => {
  let server: TestServer
  let guest: GuestServer
  const sessionId = newSession()

  before(async () => {
    server = await TestServer.start()
    guest = await startGuestServer(server)
  })
  after(() => server.stop())

  const expose = (body: Record<string, unknown>) => server.post('/expose', { sessionId, ...body })

  test('returns url, wsUrl and exposedAt in the format of the document', async () => {
    const { status, body } = await expose({ port: 8080 })
    assert.equal(status, 200)
    const { port } = new URL(server.url)
    assert.match(body.url, new RegExp(`^http://8080-[0-9a-z]{20}-p8080_v1\\.localhost:${port}$`))
    assert.equal(body.wsUrl, body.url.replace('http', 'ws'))
    assert.equal(new Date(body.exposedAt).toISOString(), body.exposedAt)
    assert.deepEqual([body.port, body.sessionId], [8080, sessionId])
  })

  test('says in a header if nothing that a preview reaches listens on the port', async () => {
    await startGuestServer(server, { port: 8097, address: '127.0.0.2', sessionId: guest.sessionId })
    for (const [port, expected] of [
      [8080, /^$/],
      [8096, /^Nothing listens on port 8096 yet: /],
      [8097, /on port 8097 of 127\.0\.0\.2, where previews cannot reach it/],
    ] as const)
      assert.match(
        (await expose({ port, sessionId: guest.sessionId })).headers.get('carrel-hint') ?? '',
        expected,
        `${port}`,
      )
  })

  test('returns the same when repeated, also with ten concurrent requests', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => expose({ port: 9090 })))
    const urls = new Set(answers.map(({ body }) => body.url))
    assert.equal(urls.size, 1)
    const first = await expose({ port: 9090 })
    assert.deepEqual((await expose({ port: 9090 })).body, first.body)
  })

  test('gives each sandbox and each port its own address', async () => {
    const urls = [
      await expose({ port: 8080 }),
      await expose({ port: 8081 }),
      await expose({ port: 8080, sessionId: newSession() }),
    ].map(({ body }) => body.url)
    assert.equal(new Set(urls).size, 3)
  })

  for (const port of [1, 80, 2999, 3011, 65_535])
    test(`accepts port ${port}`, async () => assert.equal((await expose({ port })).status, 200))

  for (let port = 3000; port <= 3010; port++)
    test(`refuses port ${port}, which is reserved`, async () => {
      const { status, body } = await expose({ port })
      assert.deepEqual([status, body.code, body.field], [400, 'INVALID_REQUEST', 'port'])
      assert.match(body.error, /3000-3010 are reserved/)
    })

  for (const port of [0, -1, 65_536, 1.5, '8080', null, true, [8080], 1e99])
    test(`refuses ${JSON.stringify(port)} as a port`, async () => {
      const { status, body } = await expose({ port })
      assert.deepEqual([status, body.field], [400, 'port'])
    })

  test('refuses the 65th port of a sandbox with 429', async () => {
    const own = newSession()
    for (let port = 10_001; port <= 10_064; port++) assert.equal((await expose({ port, sessionId: own })).status, 200)
    const { status, body } = await expose({ port: 10_065, sessionId: own })
    assert.deepEqual([status, body.code, body.action], [429, 'LIMIT_REACHED', 'FREE_SOMETHING'])
    assert.equal((await expose({ port: 10_001, sessionId: own })).status, 200)
  })

  test('a port that is not exposed cannot be reached, although a server listens on it', async () => {
    await startGuestServer(server, { port: 8099, sessionId: guest.sessionId })
    const hidden = await server.post('/process/start', {
      command: 'node server.js 8098 127.0.0.1',
      sessionId: guest.sessionId,
    })
    assert.equal(hidden.status, 200)
    const answer = await server.preview(guest.url.replaceAll('8080', '8098'), '/echo')
    assert.equal(answer.status, 404)
    assert.equal(JSON.parse(answer.body.toString()).code, 'NOT_FOUND')
  })

  test('an address outlives the server', async () => {
    const before = await server.preview(guest.url, '/open')
    assert.equal(before.body.toString(), '0')
    await server.stop()
    server = await TestServer.start({ env: { CARREL_PORT: new URL(server.url).port } })
    const { body } = await server.post('/expose', { port: guest.port, sessionId: guest.sessionId })
    assert.equal(body.url, guest.url)
    assert.equal((await server.preview(guest.url, '/open')).body.toString(), '0')
  })

  test('an operator with a domain gets https addresses without a port', async () => {
    await server.stop()
    server = await TestServer.start({ env: { CARREL_PREVIEW_DOMAIN: 'preview.example' } })
    const { body } = await server.post('/expose', { port: 8080, sessionId: guest.sessionId })
    assert.equal(body.url, `https://8080-${guest.computerId}-p8080_v1.preview.example`)
    assert.equal(body.wsUrl, `wss://8080-${guest.computerId}-p8080_v1.preview.example`)
    assert.equal((await server.preview(body.url, '/open')).status, 200)
    assert.notEqual((await server.preview(guest.url, '/open')).body.toString(), '0')
  })
})
