import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { surfaces } from '../../src/apis/surfaces.ts'
import { limits } from '../../src/config/limits.ts'
import type { ErrorEnvelope } from '../../src/http/error-envelope.ts'
import { surfaceOf } from '../../src/http/surface.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { appRoutes, nameOf, type AppRoute } from '../support/app-routes.ts'
import { WatchedServer } from '../support/watched-server.ts'
import { newSession, type TestServer } from '../support/server.ts'

const KiB = 1024
const MiB = 1024 * KiB

const routes = await appRoutes()
/**
 * The webhook checks its signature before its body, and the exec gateway has errors of another form: they have tests of
 * their own.
 */
const takesBody = ({ method, url, takesSession }: AppRoute) =>
  method !== 'GET' && method !== 'HEAD' && url !== '/billing/webhook' && !takesSession

let watched: WatchedServer
let server: TestServer
before(async () => {
  // Rate limits are not what is tested here.
  const none = ['SIGN_INS', 'PAWPADO_READS', 'PAWPADO_WRITES', 'PAWPADO_POLLS'].map((name) => [
    `CARREL_${name}_PER_MINUTE`,
    '0',
  ])
  watched = await WatchedServer.start(Object.fromEntries(none) as Record<string, string>)
  ;({ server } = watched)
})
after(() => watched.stop())

interface Sent {
  method: string
  path: string
  headers: Record<string, string>
  /** The part of the body that is sent; nothing follows. */
  body?: Buffer | string
}

/** Returns the response that arrives before the rest of the body is sent. */
async function early({ method, path, headers, body = '' }: Sent): Promise<{ status: number; text: string }> {
  const socket = open()
  const lines = Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  socket.write(body)
  try {
    return await answerOf(socket, method)
  } finally {
    socket.destroy()
  }
}

function open(): Socket {
  const { hostname, port } = new URL(server.url)
  return connect(Number(port), hostname).on('error', () => {})
}

async function answerOf(socket: Socket, method: string): Promise<{ status: number; text: string }> {
  let text = ''
  const late = AbortSignal.timeout(10_000)
  for (;;) {
    const [head = '', body] = text.split('\r\n\r\n')
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    if (body !== undefined && (method === 'HEAD' || body.length >= length))
      return { status: Number(head.slice(9, 12)), text: body }
    const [chunk] = (await once(socket, 'data', { signal: late, close: true } as object)) as [Buffer]
    text += chunk.toString('latin1')
  }
}

const pathOf = ({ url }: AppRoute) => url.replaceAll(/:\w+/g, '00000000000000000000')
const json = { 'content-type': 'application/json' }

/** Asserts that a response is a refusal in the envelope of the path's surface. */
function assertRefused(route: AppRoute, answer: { status: number; text: string }, code: ErrorCode, status: number) {
  const { envelope } = surfaceOf(surfaces, route.url)
  assert.equal(answer.status, status, `${nameOf(route)}: ${answer.text}`)
  if (route.method === 'HEAD') return
  assert.ok(answer.text.includes(`"${envelope.codeOf(code)}"`), `${nameOf(route)}: ${answer.text}`)
  assert.deepEqual(
    Object.keys(JSON.parse(answer.text) as object).filter((key) => !(key in example(envelope, code))),
    [],
    nameOf(route),
  )
}

function example(envelope: ErrorEnvelope, code: ErrorCode): object {
  const properties = (envelope.schema as { properties?: object }).properties ?? {}
  // Details of the individual refusal.
  return { ...properties, maxBytes: 0, code }
}

describe('the body of a request', { timeout: 300_000 }, () => {
  test('is limited to 16 KiB on every route but those that carry files, code or paths', () => {
    const larger = routes.filter(({ bodyLimit }) => bodyLimit > limits.bodyBytes)
    assert.deepEqual(Object.fromEntries(larger.map((route) => [nameOf(route), route.bodyLimit])), {
      'POST /execute': limits.codeBodyBytes,
      'POST /execute/stream': limits.codeBodyBytes,
      'POST /interpret': limits.codeBodyBytes,
      'POST /process/start': limits.commandBodyBytes,
      'POST /files/write': limits.jsonBodyBytes,
      'POST /memory/write': limits.jsonBodyBytes,
      'POST /files/upload': limits.uploadBytes,
      'PUT /files/upload': limits.uploadBytes,
      'POST /files/read': limits.pathBodyBytes,
      'POST /files/list': limits.pathBodyBytes,
      'POST /files/mkdir': limits.pathBodyBytes,
      'POST /watch': limits.pathBodyBytes,
      'POST /datasets': limits.datasetUploadBytes,
      'POST /sessions/:session_id/exec': limits.codeBodyBytes,
      'POST /sessions/:session_id/str_replace': limits.codeBodyBytes,
      'PUT /sessions/:session_id/files': limits.uploadBytes,
      'POST /billing/webhook': limits.webhookBytes,
      'POST /v1/computers/:id/exec': limits.codeBodyBytes,
      'POST /v1/computers/:id/files/ops': limits.jsonBodyBytes,
      'POST /process.Process/Start': limits.commandBodyBytes,
      'POST /process.Process/SendInput': limits.commandBodyBytes,
      // An endless stream, of which each message is bounded.
      'POST /process.Process/StreamInput': Number.MAX_SAFE_INTEGER,
    })
    assert.ok(limits.bodyBytes <= 16 * KiB)
    assert.ok(routes.length > 80, 'these are not all routes')
  })

  test('with too large a declared length is refused before any of it arrives, on every route', async () => {
    for (const route of routes.filter(takesBody)) {
      const headers = {
        ...json,
        ...(route.isPublic ? {} : { authorization: `Bearer ${server.token}` }),
        ...(route.contentType ? { 'content-type': `${route.contentType}; boundary=x` } : {}),
        'content-length': String(route.bodyLimit + 1),
      }
      const answer = await early({ method: route.method, path: pathOf(route), headers })
      assertRefused(route, answer, 'too_large', 413)
    }
  })

  test('without a declared length is refused once it is too long, on every route with a small limit', async () => {
    for (const route of routes.filter((one) => takesBody(one) && one.bodyLimit <= limits.pathBodyBytes)) {
      const headers = {
        ...json,
        ...(route.isPublic ? {} : { authorization: `Bearer ${server.token}` }),
        'transfer-encoding': 'chunked',
      }
      const bytes = route.bodyLimit + 1
      const body = `${bytes.toString(16)}\r\n${'['.repeat(bytes)}\r\n`
      const answer = await early({ method: route.method, path: pathOf(route), headers, body })
      assertRefused(route, answer, 'too_large', 413)
    }
  })

  test('is not awaited without a token, on every route that needs one', async () => {
    for (const route of routes.filter(({ isPublic, takesSession }) => !isPublic && !takesSession))
      for (const type of ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
        for (const [name, value] of [
          ['content-length', '1000'],
          ['transfer-encoding', 'chunked'],
        ] as const)
          for (const token of [{}, { authorization: 'Bearer wrong' }] as Record<string, string>[]) {
            const headers = { 'content-type': type, [name]: value, ...token }
            const answer = await early({ method: route.method, path: pathOf(route), headers })
            assertRefused(route, answer, 'unauthenticated', 401)
          }
  })

  test('is requested by 100 Continue only where it is read', async () => {
    const path = '/memory/write'
    const body = '{"path":"asked-for","content":"x"}'
    const headers = { ...json, expect: '100-continue', 'content-length': String(body.length) }
    const authorization = `Bearer ${server.token}`
    assert.equal((await early({ method: 'POST', path, headers })).status, 401)
    const tooLong = { ...headers, authorization, 'content-length': String(limits.jsonBodyBytes + 1) }
    assert.equal((await early({ method: 'POST', path, headers: tooLong })).status, 413)
    const socket = open()
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: ${body.length}\r\nauthorization: ${authorization}\r\n\r\n`,
    )
    assert.equal((await answerOf(socket, 'POST')).status, 100)
    socket.write(body)
    assert.equal((await answerOf(socket, 'POST')).status, 200)
    socket.destroy()
  })

  test('is not awaited on an unknown path or for a method that a path does not accept', async () => {
    for (const [method, path, status] of [
      ['POST', '/nothing', 404],
      ['PUT', '/api/v1/nothing', 404],
      ['DELETE', '/execute', 405],
      ['POST', '/health', 405],
    ] as const) {
      const headers = { ...json, 'content-length': '1000000000' }
      assert.equal((await early({ method, path, headers })).status, status, path)
    }
  })

  test('is read only if a route accepts its type', async () => {
    for (const route of routes.filter((one) => takesBody(one) && one.contentType !== 'application/octet-stream'))
      for (const type of [
        'text/csv',
        'application/xml',
        'multipart/form-data; boundary=x',
        'x/y',
        'application/x-ndjson',
      ]) {
        if (route.contentType && type.startsWith(route.contentType)) continue
        const headers = {
          'content-type': type,
          'content-length': '1000',
          ...(route.isPublic ? {} : { authorization: `Bearer ${server.token}` }),
        }
        const answer = await early({ method: route.method, path: pathOf(route), headers })
        assertRefused(route, answer, 'unsupported_media_type', 415)
      }
  })

  test('of a webhook is not awaited where webhooks are not configured', async () => {
    const path = '/billing/webhook'
    const headers = { ...json, 'content-length': '1000000' }
    assert.equal((await early({ method: 'POST', path, headers })).status, 501)
  })

  test('without end is read only a little from an anonymous client', async () => {
    const pour = async (method: string, path: string, expected: number): Promise<void> => {
      const socket = open()
      let isClosed = false
      const closed = new Promise<void>((resolve) =>
        socket.once('close', () => {
          isClosed = true
          resolve()
        }),
      )
      socket.write(
        `${method} ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9000000000\r\n\r\n`,
      )
      const chunk = Buffer.alloc(256 * KiB, 'x')
      const more = () => {
        if (isClosed) return
        if (socket.write(chunk)) setImmediate(more)
        else socket.once('drain', more)
      }
      more()
      assert.equal((await answerOf(socket, method)).status, expected)
      await closed
      // Includes what the kernel buffers on both ends.
      assert.ok(socket.bytesWritten < 32 * MiB, `${path} took ${socket.bytesWritten / MiB} MiB`)
    }
    await Promise.all([
      pour('GET', '/health', 413),
      pour('POST', '/execute', 401),
      pour('POST', '/login', 413),
      pour('POST', '/nothing', 404),
    ])
  })

  test('that nests too deep is refused before it is parsed, whatever its size', async () => {
    for (const depth of [limits.bodyDepth, 1000, 8000, 100_000]) {
      const body = `{"path":${'['.repeat(depth)}${']'.repeat(depth)}}`
      const answer = await server.call('POST', '/files/read', body)
      assert.deepEqual([answer.status, answer.body.field], [400, 'body'], JSON.stringify(answer.body))
      assert.match(answer.body.error, /its body nests more than 64 deep/)
    }
    const { body } = await server.call('POST', '/login', `{"email":${'['.repeat(7000)}}`, { token: null })
    assert.match(body.error, /its body nests more than 64 deep/)
    const { body: brackets } = await server.call('POST', '/files/read', { path: '["{'.repeat(80) })
    assert.equal(brackets.code, 'NOT_FOUND', 'brackets in a string do not nest')
  })

  test('with a long key is refused before the key is examined', async () => {
    const body = { code: '', language: 'shell', env: { ['K'.repeat(5 * MiB)]: '1' } }
    const { status, body: answer } = await server.post('/execute', body)
    assert.equal(status, 400)
    assert.match(answer.error, /a key of more than 4096 characters/)
  })
})

test('every string of a request with a pattern or format has a maximum length', () => {
  const open: string[] = []
  const look = (name: string, schema: unknown): void => {
    if (typeof schema !== 'object' || schema === null) return
    const { pattern, format, maxLength } = schema as { pattern?: string; format?: string; maxLength?: number }
    // These patterns match only a few characters.
    const isShort = pattern !== undefined && !/[*+]/.test(pattern)
    if (
      (pattern ?? format) !== undefined &&
      maxLength === undefined &&
      !isShort &&
      format !== 'binary' &&
      pattern !== '^.*$'
    )
      open.push(`${name}: ${pattern ?? format}`)
    for (const [key, inner] of Object.entries(schema)) look(`${name}.${key}`, inner)
  }
  for (const route of routes)
    for (const part of ['body', 'querystring', 'params', 'headers'])
      look(`${nameOf(route)} ${part}`, route.schema[part])
  assert.deepEqual(open, [])
})

describe('a flood of the worst bodies that each route accepts', { timeout: 300_000 }, () => {
  /** The bodies of a given size that take longest to read. */
  const worst = (bytes: number): string[] => [
    `{"path":[${'[],'.repeat(Math.max(1, bytes / 3 - 8))}0]}`,
    `{${Array.from({ length: bytes / 10 }, (_, at) => `"${at.toString(36).padStart(5, 'k')}":1`).join(',')}}`,
    `{"content":"${'\\u0001'.repeat(bytes / 6 - 8)}"}`,
    JSON.stringify({ path: 'x'.repeat(bytes - 20) }),
  ]

  test('does not slow down other clients, and takes little memory', async (t) => {
    const sessionId = newSession()
    await server.shell('true', { sessionId })
    const fill = Buffer.from(JSON.stringify({ path: 'f', sessionId, content: 'é'.repeat(11 * MiB) }))
    const text = Buffer.alloc(24 * MiB, 'x').toString('base64')
    const base64 = Buffer.from(JSON.stringify({ path: 'b', sessionId, encoding: 'base64', content: text }))
    const flood = routes
      .filter((route) => takesBody(route) && route.method !== 'DELETE' && !route.contentType)
      .flatMap((route) =>
        worst(Math.min(route.bodyLimit, 4 * MiB)).map((body) => async () => {
          const token = route.isPublic ? { token: null } : {}
          const { status } = await server.call(route.method, pathOf(route), Buffer.from(body), {
            ...token,
            headers: json,
          })
          assert.ok(status !== 500, `${nameOf(route)} failed`)
        }),
      )
    const writes = [fill, base64, fill, base64].map((body) => async () => {
      const { status } = await server.call('POST', '/files/write', body, { headers: json })
      assert.equal(status, 200)
    })
    const [, { longestTurnMs, grownMiB }] = await watched.during(() =>
      Promise.all([...flood, ...writes].map((send) => send())),
    )
    t.diagnostic(JSON.stringify({ longestTurnMs, grownMiB, requests: flood.length + writes.length }))
    // What held the loop took up to 22 s.
    assert.ok(longestTurnMs < 250, `somebody else waited for ${longestTurnMs} ms of the processor`)
    assert.ok(grownMiB < 500, `the server grew by ${grownMiB} MiB`)
  })
})
