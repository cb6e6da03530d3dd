import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { residentBytes } from '../support/resident-bytes.ts'
import { TestServer, until } from '../support/server.ts'
import { startGuestServer, type GuestServer } from './guest-server.ts'

const MiB = 1024 * 1024

describe('previews over HTTP', () => {
  let server: TestServer
  let guest: GuestServer

  before(async () => {
    server = await TestServer.start()
    guest = await startGuestServer(server)
  })
  after(() => server.stop())

  const open = (path: string, options: { method?: string; headers?: Record<string, string>; agent?: Agent } = {}) => {
    const { hostname, port } = new URL(server.url)
    const { headers, ...rest } = options
    return httpRequest({ hostname, port, path, ...rest, headers: { host: guest.host, ...headers } })
  }
  const answerOf = (request: ClientRequest) =>
    new Promise<IncomingMessage>((resolve, reject) => request.once('response', resolve).once('error', reject))
  const get = (path: string, headers?: Record<string, string>) => server.preview(guest.url, path, { headers })
  const memoryBytes = () => residentBytes(server.process.pid!)

  test('a server that listens only on 127.0.0.1 is reached', async () => {
    const { status, body } = await get('/echo')
    assert.equal(status, 200)
    assert.equal(JSON.parse(body.toString()).method, 'GET')
  })

  for (const address of ['0.0.0.0', '::', '::1'])
    test(`a server on ${address} is reached`, async () => {
      const port = { '0.0.0.0': 8081, '::': 8082, '::1': 8083 }[address]!
      const other = await startGuestServer(server, { port, address })
      assert.equal((await server.preview(other.url, '/open')).body.toString(), '0')
    })

  test('method, path and query arrive unchanged', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) {
      const { body } = await server.preview(guest.url, '/echo?a=%20b&c=%2F..;d', { method })
      const { method: got, url } = JSON.parse(body.toString())
      assert.deepEqual([got, url], [method, '/echo?a=%20b&c=%2F..;d'])
    }
  })

  test('paths of the API belong to the preview on its host name', async () => {
    for (const path of ['/', '/health', '/metrics', '/openapi.json']) {
      const { status, body } = await get(path)
      assert.deepEqual([status, body.toString()], [404, 'no such route in the computer'])
    }
  })

  test('the guest sees the Host, its own headers and where the request came from', async () => {
    const { body } = await get('/echo', { authorization: 'Bearer own', cookie: 'a=1', 'x-own': 'ä' })
    const { headers } = JSON.parse(body.toString())
    assert.deepEqual(
      [headers.host, headers.authorization, headers.cookie, headers['x-forwarded-host'], headers['x-forwarded-proto']],
      [guest.host, 'Bearer own', 'a=1', guest.host, 'http'],
    )
    assert.match(headers['x-forwarded-for'], /^(::ffff:)?127\.0\.0\.1$/)
  })

  test("an earlier proxy's report of the client is kept, and the proxy's address is appended", async () => {
    const { body } = await get('/echo', { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' })
    const { headers } = JSON.parse(body.toString())
    assert.match(headers['x-forwarded-for'], /^203\.0\.113\.9, (::ffff:)?127\.0\.0\.1$/)
    assert.equal(headers['x-forwarded-proto'], 'https')
  })

  test('hop-by-hop headers are not passed on', async () => {
    const { body } = await get('/echo', {
      connection: 'keep-alive, x-secret-hop',
      'x-secret-hop': '1',
      'proxy-authorization': 'x',
      te: 'trailers',
      'keep-alive': 'timeout=9',
    })
    const { headers } = JSON.parse(body.toString())
    for (const name of ['x-secret-hop', 'proxy-authorization', 'te', 'keep-alive'])
      assert.equal(headers[name], undefined, name)
  })

  test('status and headers of the response are relayed', async () => {
    for (const code of [200, 201, 204, 301, 304, 404, 418, 500, 599]) {
      const { status, headers } = await get(`/status?code=${code}`)
      assert.deepEqual([status, headers['x-own']], [code, 'yes'])
    }
  })

  test('the reason phrase is relayed, and repeated headers stay separate', async () => {
    const answer = await answerOf(open('/odd').end())
    assert.deepEqual([answer.statusCode, answer.statusMessage], [299, 'Odd Reason'])
    assert.deepEqual(answer.headersDistinct['x-a'], ['1', '2'])
    const request = open('/echo')
    request.setHeader('x-twice', ['a', 'b'])
    const { rawHeaders } = JSON.parse(await text(await answerOf(request.end())))
    const got = rawHeaders.filter((_: string, index: number) => rawHeaders[index - (index % 2)] === 'x-twice')
    assert.deepEqual(got, ['x-twice', 'a', 'x-twice', 'b'])
  })

  test('HEAD has the headers and no body', async () => {
    const { status, body } = await server.preview(guest.url, '/echo', { method: 'HEAD' })
    assert.deepEqual([status, body.length], [200, 0])
  })

  test('a cookie is limited to its own preview', async () => {
    const { headers } = await get('/cookies')
    assert.deepEqual(headers['set-cookie'], ['a=1; Path=/; HttpOnly', 'b=2;Secure', 'c=3; SameSite=Lax'])
  })

  test('trailers are relayed in both directions', async () => {
    const answer = await answerOf(open('/trailers').end())
    assert.equal(await text(answer), 'body')
    assert.equal(answer.trailers['x-sum'], 'abc')
    assert.equal(answer.headers.trailer, 'x-sum')
    const request = open('/sink', { method: 'POST', headers: { trailer: 'x-end', 'transfer-encoding': 'chunked' } })
    request.write('a')
    request.addTrailers({ 'x-end': 'z' })
    const sunk = JSON.parse(await text(await answerOf(request.end())))
    assert.deepEqual([sunk.bytes, sunk.trailers], [1, { 'x-end': 'z' }])
  })

  test('early hints are relayed', async () => {
    const request = open('/hints')
    const hints = new Promise((resolve) =>
      request.once('information', ({ statusCode, headers }) => resolve([statusCode, headers.link])),
    )
    const answer = await answerOf(request.end())
    assert.equal(await text(answer), 'hinted')
    assert.deepEqual(await hints, [103, '</a.css>; rel=preload; as=style'])
  })

  test('a request and its response stream at the same time', async () => {
    const request = open('/body', { method: 'POST', headers: { 'transfer-encoding': 'chunked' } })
    const answered = answerOf(request)
    request.write('first ')
    const answer = await answered
    const chunks = answer[Symbol.asyncIterator]()
    assert.equal(String((await chunks.next()).value), 'first ')
    request.end('second')
    assert.equal(String((await chunks.next()).value), 'second')
    assert.equal((await chunks.next()).done, true)
  })

  test('100 MB arrive intact in both directions, and the memory of the server stays flat', async () => {
    const chunk = randomBytes(MiB)
    const hash = createHash('sha256')
    const before = memoryBytes()
    let most = before
    const watch = setInterval(() => (most = Math.max(most, memoryBytes())), 10)
    const request = open('/sink', { method: 'POST', headers: { 'content-length': String(100 * MiB) } })
    const answered = answerOf(request)
    for (let sent = 0; sent < 100; sent++) {
      hash.update(chunk)
      if (!request.write(chunk)) await new Promise((resolve) => request.once('drain', resolve))
    }
    const { bytes, sha256 } = JSON.parse(await text(await answered.finally(() => request.end())))
    assert.deepEqual([bytes, sha256], [100 * MiB, hash.digest('hex')])
    let received = 0
    const xs = Buffer.alloc(MiB, 'x')
    for await (const part of await answerOf(open('/source?mib=100').end())) {
      assert.ok(part.equals(xs.subarray(0, part.length)), `bytes from ${received} on differ`)
      received += part.length
    }
    clearInterval(watch)
    assert.equal(received, 100 * MiB)
    assert.ok(most - before < 80 * MiB, `it grew by ${(most - before) / MiB} MiB`)
  })

  test('a client that reads slowly makes the guest wait, without filling the memory of the server', async () => {
    const before = memoryBytes()
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    socket.write(`GET /source?mib=200 HTTP/1.1\r\nhost: ${guest.host}\r\n\r\n`)
    await new Promise((resolve) => socket.once('readable', resolve))
    // The transfer stalls once every buffer on the way is full: then the guest's queue no longer changes.
    let last = ''
    let still = 0
    await until(
      async () => {
        const code = `awk '$2 ~ /:1F90$/ && $4=="01" && $5 !~ /^00000000/ {print $5}' /proc/net/tcp`
        const { stdout } = await server.shell(code, { sessionId: guest.sessionId })
        still = stdout !== '' && stdout === last ? still + 1 : 0
        last = stdout
        return still
      },
      (count) => count >= 5,
    )
    assert.ok(memoryBytes() - before < 60 * MiB, `it grew by ${(memoryBytes() - before) / MiB} MiB`)
    socket.destroy()
  })

  test('server-sent events arrive as they are sent, and the guest notices when the client disconnects', async () => {
    const request = open('/events')
    const answer = await answerOf(request.end())
    let seen = ''
    for await (const chunk of answer) {
      seen += chunk
      if (seen.includes('data: 2\n\n')) break
    }
    assert.ok(seen.startsWith('data: 0\n\ndata: 1\n\ndata: 2\n\n'))
    request.destroy()
    await until(
      () => get('/open'),
      ({ body }) => body.toString() === '0',
    )
  })

  test('the guest notices when a client with a queued request disconnects', async () => {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    socket.write(`GET /events HTTP/1.1\r\nhost: ${guest.host}\r\n\r\n`.repeat(3))
    await until(
      () => get('/open'),
      ({ body }) => body.toString() === '3',
    )
    socket.destroy()
    await until(
      () => get('/open'),
      ({ body }) => body.toString() === '0',
    )
  })

  test('connections are kept, towards the client and into the computer', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const before = Number((await get('/connections')).body.toString())
    const sockets = new Set()
    for (let round = 0; round < 20; round++) {
      const request = open('/open', { agent })
      request.on('socket', (socket) => sockets.add(socket))
      await text(await answerOf(request.end()))
    }
    agent.destroy()
    assert.equal(sockets.size, 1)
    const made = Number((await get('/connections')).body.toString()) - before
    assert.ok(made <= 1, `${made} new connections into the computer`)
  })

  test('100 concurrent requests are all answered', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => get(`/echo?n=${index}`)))
    for (const [index, { body }] of answers.entries()) assert.equal(JSON.parse(body.toString()).url, `/echo?n=${index}`)
  })

  test('a server that drops the connection causes a 502', async () => {
    const { status, body } = await get('/drop')
    assert.equal(status, 502)
    assert.equal(JSON.parse(body.toString()).code, 'UPSTREAM_UNREACHABLE')
  })

  test('a response that is cut off is cut off for the client too', async () => {
    const answer = await answerOf(open('/half').end())
    await assert.rejects(text(answer), /aborted|ECONNRESET/)
  })

  test('a port where nothing listens answers 502: a page for a browser, JSON for a program', async () => {
    const { body } = await server.post('/expose', { port: 7777, sessionId: guest.sessionId })
    const program = await server.preview(body.url, '/')
    assert.deepEqual([program.status, program.headers['content-type']], [502, 'application/json; charset=utf-8'])
    const { error, code, action, agentInstruction, retryable } = JSON.parse(program.body.toString())
    assert.deepEqual([code, action, retryable], ['UPSTREAM_UNREACHABLE', 'START_SERVER', true])
    assert.match(error, /port 7777/)
    assert.match(agentInstruction, /Start a server/)
    const browser = await server.preview(body.url, '/', { headers: { accept: 'text/html,*/*' } })
    assert.deepEqual([browser.status, browser.headers['content-type']], [502, 'text/html; charset=utf-8'])
    assert.match(browser.body.toString(), /<h1>Nothing to show yet<\/h1>[^]*port 7777/)
  })

  test('an offer of HTTP/2 over cleartext is ignored', async () => {
    const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAoAAA' }
    const { status, body } = await get('/echo', headers)
    assert.equal(status, 200)
    assert.equal(JSON.parse(body.toString()).headers.upgrade, undefined)
    const origin = await server.preview(server.url, '/health', { headers })
    assert.equal(origin.status, 200)
  })
})
