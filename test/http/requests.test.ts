import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { limits } from '../../src/config/limits.ts'
import { newSession } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

describe('requests', { timeout: 300_000 }, () => {
  let server: TestApp

  before(async () => {
    server = await TestApp.start()
  })
  after(() => server.stop())

  /** Sends raw bytes; returns everything that arrives until the connection ends. */
  const raw = async (bytes: string): Promise<string> => {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    socket.write(Buffer.from(bytes, 'latin1'))
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks).toString('latin1')
  }
  const jsonOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))
  const isEnvelope = (body: Record<string, unknown>) => {
    for (const field of ['error', 'code', 'action', 'agentInstruction', 'requestId'])
      assert.equal(typeof body[field], 'string', `${field} of ${JSON.stringify(body)}`)
    assert.equal(typeof body.retryable, 'boolean')
  }

  test('a body that is too large is refused with the limit', async () => {
    const answer = await raw(
      `POST /execute HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${server.token}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${limits.codeBodyBytes + 1}\r\n\r\n`,
    )
    const body = jsonOf(answer)
    assert.deepEqual([body.code, body.maxBytes], ['TOO_LARGE', limits.codeBodyBytes])
    assert.match(body.error, new RegExp(`larger than ${limits.codeBodyBytes} bytes`))
  })

  test('a request whose fields are all optional needs no body', async () => {
    for (const path of ['/process/list', '/memory/list']) {
      const headers = { authorization: `Bearer ${server.token}` }
      const bare = await fetch(server.url + path, { method: 'POST', headers })
      assert.equal(bare.status, 200, path)
      const typed = await fetch(server.url + path, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
      })
      assert.equal(typed.status, 200, path)
      assert.equal((await server.call('POST', path, 'null')).status, 400)
    }
    const { status, body } = await server.call('POST', '/process/get')
    assert.deepEqual([status, body.code], [400, 'INVALID_REQUEST'])
  })

  for (const [why, body] of [
    ['no JSON', '{"code":'],
    ['text', 'hello'],
    ['empty', ''],
    ['two values', '{} {}'],
    ['single quotes', "{'code':1}"],
    ['a trailing comma', '{"code":"1",}'],
    ['a NUL', '{"code":"\0"}'],
    ['bytes that are no UTF-8', Buffer.from('{"code":"\xff', 'latin1')],
    ['__proto__', '{"__proto__":{"code":"x"},"language":"shell"}'],
    ['constructor.prototype', '{"constructor":{"prototype":{"code":"x"}},"language":"shell"}'],
    ['100,000 brackets', '['.repeat(100_000)],
    ['a number', '1'],
    ['null', 'null'],
    ['a list', '[]'],
  ] as const)
    test(`a body that is ${why} is refused with 400 in the error envelope`, async () => {
      const { status, body: answer } = await server.post('/execute', body)
      assert.equal(status, 400, JSON.stringify(answer))
      isEnvelope(answer)
      assert.deepEqual([answer.code, answer.action], ['INVALID_REQUEST', 'FIX_REQUEST'])
      assert.equal(typeof answer.field, 'string', 'no field is named')
    })

  for (const type of ['text/csv', 'multipart/form-data; boundary=x', 'application/xml', 'nonsense'])
    test(`a body of the type ${type} is refused with 415`, async () => {
      const { status, body } = await server.post('/execute', '{"code":"1","language":"shell"}', {
        headers: { 'content-type': type },
      })
      assert.deepEqual([status, body.code, body.action], [415, 'UNSUPPORTED_MEDIA_TYPE', 'SET_CONTENT_TYPE'])
      isEnvelope(body)
    })

  test('a JSON type with a charset is JSON', async () => {
    const { status } = await server.post('/memory/list', '{}', {
      headers: { 'content-type': 'application/json; charset=utf-8' },
    })
    assert.equal(status, 200)
  })

  for (const [path, request, message] of [
    [
      '/execute',
      { code: '1', language: 'perl' },
      '"language": it must be one of python, javascript, shell; got "perl"',
    ],
    ['/execute', { code: '1' }, '"language": it is missing'],
    ['/execute', { code: '1', language: 'shell', timeout: '5' }, '"timeout": it must be a number; got the string "5"'],
    [
      '/execute',
      { code: '1', language: 'shell', env: { A: [1] } },
      '"env.A": it must be a string, a number, true, false or null; got a list of 1 item',
    ],
    [
      '/execute',
      { code: '1', language: 'shell', env: { A: 2 ** 60 } },
      '"env.A": it must be at most 9007199254740991; got 1152921504606847000',
    ],
    ['/expose', { port: 99_999 }, '"port": it must be at most 65535; got 99999'],
    ['/files/read', { path: '' }, '"path": it must not be empty'],
    ['/process/kill', { processId: 'x', signal: 'KILL' }, '"signal": it must be one of SIGTERM, SIGKILL, SIGINT'],
    [
      '/process/list',
      { sessionId: 'a\tb' },
      '"sessionId": it must be printable text on one line, without control characters and invisible characters; got "a\\tb"',
    ],
  ] as const)
    test(`${path} says: ${message}`, async () => {
      const { status, body } = await server.post(path, request)
      assert.equal(status, 400)
      assert.ok(body.error.startsWith(`Cannot use field ${message}`), body.error)
      isEnvelope(body)
    })

  test('an invalid field of a query or a form is named', async () => {
    const { body } = await server.call('GET', '/files/download?path=/x&sessionId=a%0Ab')
    assert.match(body.error, /^Cannot use field "sessionId": it must be printable text .*; got "a\\nb"$/)
    const form = new FormData()
    form.set('sessionId', 'a\u0007b')
    form.set('path', '/tmp/x')
    form.set('file', new Blob(['x']), 'x')
    assert.match(
      (await server.post('/files/upload', form)).body.error,
      /"sessionId": it must be printable text .*; got "a\\u0007b"$/,
    )
  })

  for (const [message, refusal] of [
    ['{', 'Cannot read the message: it is not valid JSON'],
    ['null', 'Cannot use field "type": it must be one of start, attach; got nothing'],
    ['{"type":"stop"}', 'Cannot use field "type": it must be one of start, attach; got "stop"'],
    ['{"type":"start","argv":[]}', 'Cannot use field "argv": it must not be empty'],
    [
      '{"type":"start","command":"x","language":"perl"}',
      'Cannot use field "language": it must be one of python, javascript, shell; got "perl"',
    ],
    [
      '{"type":"start","argv":["x"],"tty":{"cols":0,"rows":1}}',
      'Cannot use field "tty.cols": it must be at least 1; got 0',
    ],
    ['{"type":"attach"}', 'Cannot use field "processId": it is missing'],
  ] as const)
    test(`/v1/exec says of ${message}: ${refusal}`, async () => {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/exec`, {
        headers: { authorization: `Bearer ${server.token}` },
      })
      await once(socket, 'open')
      socket.send(message)
      const [answer] = (await once(socket, 'message')) as [Buffer]
      const { type, code, error } = JSON.parse(answer.toString())
      assert.deepEqual([type, code, error], ['error', 'INVALID_REQUEST', refusal])
      await once(socket, 'close')
    })

  for (const path of ['/nothing', '/execute/', '/Execute', '/execute/more', '/%00', '/..%2f..%2fetc', '/robots.txt'])
    test(`${path} is ${path === '/execute/' ? 'the route without the slash' : 'not a route: 404'}`, async () => {
      const { status, body } = await server.post(path, {})
      if (path === '/execute/') return assert.equal(status, 400)
      assert.deepEqual([status, body.code, body.action], [404, 'ROUTE_NOT_FOUND', 'CHECK_ROUTE'])
      isEnvelope(body)
    })

  test('the 404 of an unknown path names similar routes, and of a documented one that it is not there yet', async () => {
    const { body } = await server.post('/exectue', {})
    assert.deepEqual(body.near[0], 'POST /execute')
    assert.match(body.error, /^Cannot POST \/exectue: there is no such route; similar routes: POST \/execute/)
    assert.deepEqual((await server.call('GET', '/file/read')).body.near[0], 'POST /files/read')
    assert.deepEqual((await server.call('GET', '/robots.txt')).body.near, [])
    for (const [method, path] of [
      ['POST', '/browser/screenshot'],
      ['GET', '/ai/models'],
    ] as const) {
      const { status, body } = await server.call(method, path)
      assert.deepEqual([status, body.code], [404, 'ROUTE_NOT_FOUND'])
      assert.match(body.error, /^Cannot .*: this route of PaperPod is not available on this server yet$/)
    }
    assert.match((await server.post('/browser/nothing', {})).body.error, /there is no such route/)
  })

  for (const [method, path, allow] of [
    ['GET', '/execute', 'POST'],
    ['PUT', '/files/write', 'POST'],
    ['DELETE', '/memory/delete', 'POST'],
    ['POST', '/health', 'HEAD, GET'],
    ['PATCH', '/', 'HEAD, GET'],
    ['OPTIONS', '/execute', 'POST'],
    ['POST', '/files/download?path=x', 'HEAD, GET'],
  ] as const)
    test(`${method} ${path} is refused with 405 and the allowed methods`, async () => {
      const { status, headers, body } = await server.call(method, path)
      assert.deepEqual([status, body.code, body.action], [405, 'METHOD_NOT_ALLOWED', 'CHECK_ROUTE'])
      assert.deepEqual(headers.get('allow')?.split(', ').toSorted(), allow.split(', ').toSorted())
      isEnvelope(body)
    })

  test('HEAD has the headers of GET and no body', async () => {
    for (const path of ['/', '/health']) {
      const get = await server.call('GET', path)
      const head = await fetch(server.url + path, { method: 'HEAD' })
      assert.deepEqual([head.status, head.headers.get('content-type')], [200, get.headers.get('content-type')])
      assert.equal(await head.text(), '')
      assert.ok(Number(head.headers.get('content-length')) > 0)
    }
  })

  test('every response has a unique request id, which an error repeats', async () => {
    const ids = new Set<string | null>()
    for (const path of ['/health', '/', '/nothing', '/memory/usage', '/%ff', '/metrics']) {
      const { headers, body } = await server.call('GET', path)
      ids.add(headers.get('x-request-id'))
      if (body.error) assert.equal(body.requestId, headers.get('x-request-id'), path)
    }
    assert.equal(ids.size, 6)
    for (const id of ids) assert.match(String(id), /^[0-9a-f-]{36}$/)
  })

  test('a request id of the client is not adopted', async () => {
    const { headers } = await server.call('GET', '/health', undefined, { headers: { 'x-request-id': 'mine' } })
    assert.notEqual(headers.get('x-request-id'), 'mine')
  })

  for (const [why, bytes, status, code] of [
    ['no HTTP', 'GARBAGE\r\n\r\n', 400, 'INVALID_REQUEST'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400, 'INVALID_REQUEST'],
    [
      'a length and chunks',
      'POST /memory/usage HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n',
      400,
      'INVALID_REQUEST',
    ],
    [
      'two lengths',
      'POST /memory/usage HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n',
      400,
      'INVALID_REQUEST',
    ],
    ['a space before the colon', 'GET /health HTTP/1.1\r\nhost: a\r\nx : y\r\n\r\n', 400, 'INVALID_REQUEST'],
    [
      'chunks of no number',
      'POST /memory/usage HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      400,
      'INVALID_REQUEST',
    ],
    ['headers of 40 kB', `GET /health HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`, 413, 'TOO_LARGE'],
    ['a path of 40 kB', `GET /${'y'.repeat(40_000)} HTTP/1.1\r\nhost: a\r\n\r\n`, 413, 'TOO_LARGE'],
    [
      'an address that is badly encoded',
      'GET /%ff HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
      400,
      'INVALID_REQUEST',
    ],
    ['a percent sign alone', 'GET /% HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 400, 'INVALID_REQUEST'],
  ] as const)
    test(`${why} is refused with ${status} in the error envelope`, async () => {
      const answer = await raw(bytes)
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), answer.slice(0, 200))
      const body = jsonOf(answer.split(/(?<=\})HTTP\/1\.1/)[0]!)
      isEnvelope(body)
      assert.equal(body.code, code)
      assert.match(answer, new RegExp(`x-request-id: ${body.requestId}`, 'i'))
    })

  test('an upgrade to an unknown protocol or path is refused', async () => {
    const answer = await raw('GET /nothing HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n')
    assert.match(answer, /^HTTP\/1\.1 404 /)
  })

  test('two pipelined requests are answered in order', async () => {
    const answer = await raw(
      'GET /nothing HTTP/1.1\r\nhost: a\r\n\r\nGET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
    )
    assert.deepEqual(
      [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
      ['404', '200'],
    )
  })

  test('a value quoted in a message cannot break out of its JSON, and is cut', async () => {
    const path = `/"},${'x'.repeat(5000)}`
    const { body } = await server.call('GET', path)
    isEnvelope(body)
    assert.ok(body.error.length < 400)
  })

  test('a response is never cached and never interpreted as another type', async () => {
    const sessionId = newSession()
    const { headers } = await server.post('/execute', { code: 'true', language: 'shell', sessionId })
    assert.match(headers.get('content-type')!, /^application\/json; charset=utf-8$/)
    assert.equal(headers.get('access-control-allow-origin'), null, 'a page of another origin can read it')
  })
})
