import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { Compile } from 'typebox/compile'
import { jsonSchemaOf } from '../support/json-schema.ts'
import { type Answer } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

interface Operation {
  security: unknown[]
  parameters?: { name: string; in: string; required?: boolean }[]
  requestBody?: { content: Record<string, unknown> }
  responses: Record<string, { content?: Record<string, { schema: { $ref?: string } }> }>
}
/** Returns the path of a route with a value for everything that its query must have. */
function addressOf({ path, operation }: Route): string {
  const needed = (operation.parameters ?? []).filter((one) => one.in === 'query' && one.required)
  return needed.length === 0 ? path : `${path}?${needed.map(({ name }) => `${name}=x`).join('&')}`
}

interface Route {
  name: string
  method: string
  /** The path, with ids that do not exist. */
  path: string
  surface: Surface
  operation: Operation
  takesJson: boolean
}
type Surface = 'environments' | 'agent-computer' | 'pawpado' | 'paperpod'

/** The surface of each path, stated independently: how the server decides this is what is tested. */
const surfaces: [RegExp, Surface][] = [
  [/^\/api\/v1(\/|$)/, 'pawpado'],
  [/^\/(v1\/(workspaces|sandboxes|exec)|users\/me\/sessions|billing\/(pay|return|cancel))(\/|$)/, 'paperpod'],
  [/^\/(auth|users|billing|sessions|samples|datasets)(\/|$)/, 'environments'],
  [/^\/(v1|process\.Process|healthz|readyz)(\/|$)/, 'agent-computer'],
  [/^/, 'paperpod'],
]
const surfaceOf = (path: string) => surfaces.find(([pattern]) => pattern.test(path))![1]

/** A path of each surface that does not exist, or not yet. */
const unknown = ['/api/v1/sessions/none', '/sessions/none/none', '/v1/none', '/none', '/users/none', '/api/v1']

type Body = Record<string, any> // oxlint-disable-line typescript/no-explicit-any -- an envelope of any surface

const upperCase = /^[A-Z][A-Z_]+$/
const isText = (value: unknown) => assert.ok(typeof value === 'string' && value.length > 0)

const envelopes: Record<Surface, (status: number, body: Body) => void> = {
  pawpado(_status, body) {
    assert.deepEqual(Object.keys(body), ['error', 'message'])
    assert.match(body['error'], upperCase)
    isText(body['message'])
  },
  'agent-computer'(_status, { error }) {
    assert.deepEqual(Object.keys(error), ['code', 'message'])
    assert.match(error.code, /^[a-z][a-z_]+$/)
    isText(error.message)
  },
  environments(status, { detail }) {
    if (status !== 422) {
      assert.deepEqual(Object.keys(detail), ['code', 'message'])
      assert.match(detail.code, upperCase)
      return isText(detail.message)
    }
    assert.ok(Array.isArray(detail) && detail.length > 0)
    for (const part of detail) {
      assert.deepEqual(Object.keys(part), ['loc', 'msg', 'type'])
      assert.match(String(part.loc[0]), /^(body|query|path|header)$/)
      for (const step of part.loc) assert.match(typeof step, /^(string|number)$/)
      isText(part.msg)
      assert.match(part.type, /^[a-z][a-z_]+$/)
    }
  },
  paperpod(_status, { error, code, action, agentInstruction, retryable, requestId }) {
    for (const value of [error, agentInstruction, requestId]) isText(value)
    for (const value of [code, action]) assert.match(value, upperCase)
    assert.equal(typeof retryable, 'boolean')
  },
}

describe("every error is in its surface's envelope", { timeout: 300_000 }, () => {
  let server: TestApp
  let token: string
  let routes: Route[]
  let schemas: Record<string, object>

  before(async () => {
    const none = { CARREL_SIGN_INS_PER_MINUTE: '0', CARREL_PAWPADO_READS_PER_MINUTE: '0' }
    server = await TestApp.start({ env: { ...none, CARREL_PAWPADO_WRITES_PER_MINUTE: '0' } })
    token = await server.newAccount('envelopes')
    const { body } = await server.call('GET', '/openapi.json', undefined, { token: null })
    schemas = body.components.schemas
    routes = Object.entries<Record<string, Operation>>(body.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path: path.replaceAll(/\{\w+\}/g, 'n0n3'),
        surface: surfaceOf(path),
        operation,
        takesJson: operation.requestBody?.content['application/json'] !== undefined,
      })),
    )
  })
  after(() => server.stop())

  const ask = (
    method: string,
    path: string,
    { as = token, body, headers = {} }: { as?: string | null; body?: string; headers?: Record<string, string> } = {},
  ) => server.call(method, path, body, { token: as, headers })

  /** Asserts that a response is one of these refusals, in the envelope of its path, and as its route documents it. */
  const isRefusal = (
    what: string,
    path: string,
    statuses: number[],
    answer: Omit<Answer, 'headers'>,
    route?: Route,
  ) => {
    const { status, body } = answer
    const told = `${what}: ${status} ${JSON.stringify(body)}`
    assert.ok(statuses.includes(status), told)
    try {
      envelopes[surfaceOf(path)](status, body)
    } catch (error) {
      throw new Error(told, { cause: error })
    }
    if (!route) return
    const { responses } = route.operation
    const { content } = responses[status] ?? responses[status < 500 ? '4XX' : '5XX']!
    const { $ref: reference } = content!['application/json']!.schema
    const schema = reference ? schemas[reference.split('/').at(-1)!] : content!['application/json']!.schema
    assert.deepEqual([...Compile(jsonSchemaOf(schema) as never).Errors(body)], [], told)
  }
  const isJson = ({ headers }: Answer) => {
    assert.equal(headers.get('content-type'), 'application/json; charset=utf-8')
    assert.match(headers.get('x-request-id')!, /^[\da-f-]{36}$/)
  }

  test('each surface has routes', () => {
    const counts = Map.groupBy(routes, ({ surface }) => surface)
    for (const surface of Object.keys(envelopes) as Surface[])
      assert.ok((counts.get(surface)?.length ?? 0) >= 3, `${surface} has ${counts.get(surface)?.length} routes`)
  })

  test("401 without a token, with a wrong one, and with one for another account's workspace", async () => {
    const secured = routes.filter(({ operation }) => operation.security.length > 0)
    assert.ok(secured.length > 30)
    for (const route of secured)
      for (const [as, status] of [
        [null, 401],
        ['pp_sess_wrong', 401],
        ['eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.x', 401],
        [`${token}~n0n3`, 404],
      ] as const) {
        const answer = await ask(route.method, route.path, { as })
        isRefusal(`${route.name} by ${as}`, route.path, [status], answer, route)
        isJson(answer)
      }
  })

  test('404 for an unknown path, and 405 for a method that is not accepted', async () => {
    for (const { path, name, method } of routes) {
      const answer = await ask(method, `${path}/none/of/these`)
      // `PUT /files/*` and similar routes accept every path.
      if (answer.status === 404) isJson(answer)
      isRefusal(`below ${name}`, path === '/' ? '/none' : path, [404, 405, 400, 422], answer)
      const taken = new Set(routes.filter((other) => other.path === path).map((other) => other.method))
      const other = ['PATCH', 'PUT', 'DELETE', 'POST'].find((one) => !taken.has(one))!
      isRefusal(`${other} ${path}`, path, [405], await ask(other, path))
    }
    for (const path of unknown)
      for (const method of ['GET', 'POST', 'DELETE', 'PROPFIND'])
        for (const as of [token, null]) {
          const answer = await ask(method, path, { as })
          isRefusal(`${method} ${path}`, path, [404], answer)
          isJson(answer)
        }
  })

  test('404 for an unknown id', async () => {
    const withIds = routes.filter(
      ({ path, method }) => path.includes('n0n3') && method !== 'POST' && method !== 'PATCH',
    )
    assert.ok(withIds.length >= 5)
    for (const route of withIds)
      isRefusal(route.name, route.path, [403, 404], await ask(route.method, addressOf(route)), route)
  })

  test("400 or 422 for a body or query that does not match the route's schema", async () => {
    const bodies = ['{not JSON', '[]', '"text"', 'null', '{"a":"\\ud800"}']
    for (const route of routes.filter(({ takesJson }) => takesJson))
      for (const body of bodies) {
        const headers = { 'content-type': 'application/json' }
        const answer = await ask(route.method, route.path, { body, headers })
        const isEnvironments = route.surface === 'environments'
        // Both documents have this route: a client that sends no refresh_token is one of PaperPod's.
        const bad = isEnvironments && route.path !== '/auth/refresh' && route.path !== '/billing/webhook' ? 422 : 400
        // This route first checks whether the caller may use it, and whether it is configured.
        isRefusal(`${route.name} with ${body}`, route.path, [bad, 403, 404, 501], answer, route)
      }
    const queried = routes.filter(
      ({ method, operation }) => method === 'GET' && operation.parameters?.some((one) => one.in === 'query'),
    )
    assert.ok(queried.length >= 4)
    for (const route of queried) {
      const { name } = route.operation.parameters!.find((one) => one.in === 'query')!
      const answer = await ask('GET', `${route.path}?${name}=&no_such_field=1`)
      isRefusal(route.name, route.path, [route.surface === 'environments' ? 422 : 400], answer, route)
    }
  })

  test('the environments report where a value is wrong, as FastAPI does', async () => {
    const details = async (method: string, path: string, body?: unknown) => {
      const answer = await ask(
        method,
        path,
        body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
      )
      assert.equal(answer.status, 422)
      return answer.body.detail.map(({ loc, type }: { loc: unknown; type: string }) => [loc, type])
    }
    assert.deepEqual(await details('POST', '/billing/deposit', {}), [[['body', 'amount_cents'], 'missing']])
    assert.deepEqual(await details('POST', '/billing/deposit', { amount_cents: 'x' }), [
      [['body', 'amount_cents'], 'int_type'],
    ])
    assert.deepEqual(await details('POST', '/billing/deposit', { amount_cents: 1 }), [
      [['body', 'amount_cents'], 'greater_than_equal'],
    ])
    assert.deepEqual(await details('POST', '/users/me/api-keys', { scopes: ['none'] }), [
      [['body', 'scopes', 0], 'enum'],
    ])
    assert.deepEqual(await details('POST', '/users/me/api-keys', { other: 1 }), [
      [['body', 'other'], 'extra_forbidden'],
    ])
    assert.deepEqual(await details('GET', '/billing/usage?page=0'), [[['query', 'page'], 'string_pattern_mismatch']])
    assert.deepEqual(await details('DELETE', '/users/me/api-keys', []), [[['body'], 'model_type']])
    const broken = await ask('POST', '/billing/deposit', { body: '{', headers: { 'content-type': 'application/json' } })
    assert.deepEqual(
      broken.body.detail.map(({ loc, type }: { loc: unknown; type: string }) => [loc, type]),
      [[['body'], 'json_invalid']],
    )
  })

  test('POST /auth/refresh answers clients of each document in its envelope', async () => {
    for (const [body, status] of [
      [{ refresh_token: 'x' }, 401],
      [{ refresh_token: '' }, 422],
      [{ refresh_token: 5 }, 422],
      [{ token: 'x' }, 401],
      [{ token: '' }, 400],
      [{}, 400],
    ] as const) {
      const answer = await server.post('/auth/refresh', body, { token: null })
      isRefusal(JSON.stringify(body), '/auth/refresh', [status], answer)
      envelopes.paperpod(status, answer.body)
    }
  })

  test('415 for another content type, and 413 for a body that is larger than the route accepts', async () => {
    for (const route of routes.filter(({ takesJson }) => takesJson)) {
      const headers = { 'content-type': 'text/x-none' }
      const answer = await ask(route.method, addressOf(route), { body: 'x', headers })
      isRefusal(`${route.name} with text`, route.path, [415, 501], answer, route)
      isRefusal(
        `${route.name}, too large`,
        route.path,
        [413, 501],
        await announce(route.method, addressOf(route)),
        route,
      )
    }
  })

  /** Announces a gigabyte, and sends none of it. */
  const announce = async (method: string, path: string) => {
    const { hostname, port } = new URL(server.url)
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': '1000000000',
    }
    const request = httpRequest({ hostname, port, method, path, headers })
    request.on('error', () => {})
    request.flushHeaders()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const body = JSON.parse(await text(response))
    request.destroy()
    return { status: response.statusCode!, body }
  }

  /** Sends bytes that may not be a request; returns the one response to them. */
  const send = async (bytes: string) => {
    const { hostname, port } = new URL(server.url)
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
    socket.end(bytes)
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n', 2)
    const told = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1])
    assert.equal(Buffer.byteLength(body), told, `there is exactly one response: ${body}`)
    return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), body: JSON.parse(body) }
  }

  for (const path of ['/api/v1/settings', '/users/me/api-keys', '/v1/billing/preferences', '/memory/write', ...unknown])
    test(`an incomplete request is answered in the envelope of ${path}`, async () => {
      const head = `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n`
      isRefusal('a body that is cut off', path, [400, 404, 405], await send(`${head}content-length: 9\r\n\r\n{"a"`))
      isRefusal(
        'a chunk that is none',
        path,
        [400, 404, 405],
        await send(`${head}transfer-encoding: chunked\r\n\r\nxyz\r\n`),
      )
      isRefusal(
        'a header that is none',
        path,
        [400],
        await send(`GET ${path} HTTP/1.1\r\nhost: x\r\nno header\r\n\r\n`),
      )
      isRefusal('a length that is none', path, [400], await send(`${head}content-length: -1\r\n\r\n`))
      isRefusal(
        'headers without end',
        path,
        [413],
        await send(`GET ${path} HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`),
      )
      const upgrade =
        'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: eA==\r\n'
      isRefusal('a WebSocket', path, [404], await send(`GET ${path} HTTP/1.1\r\nhost: x\r\n${upgrade}\r\n`))
      isRefusal(
        'what is expected',
        path,
        [400, 404, 405],
        await send(`${head}expect: more\r\ncontent-length: 9\r\n\r\n{`),
      )
      isRefusal(
        'an address that is none',
        path,
        [400, 404],
        await send(`GET ${path}/%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
      )
    })

  test("an Idempotency-Key that is too long, or of another request, is refused in the surface's envelope", async () => {
    const idempotent = routes.filter(({ operation }) =>
      operation.parameters?.some((one) => one.name === 'idempotency-key'),
    )
    assert.ok(idempotent.length >= 2)
    for (const route of idempotent) {
      const headers = { 'content-type': 'application/json', 'idempotency-key': 'x'.repeat(300) }
      const { amount_cents, ...other } = { amount_cents: 500, amountCents: 500 }
      const body = JSON.stringify(route.path === '/billing/deposit' ? { amount_cents } : other)
      const answer = await ask(route.method, route.path, { body, headers })
      isRefusal(route.name, route.path, [400, 422], answer, route)
    }
  })
})

test('429 of every route is in the envelope of its surface', { timeout: 300_000 }, async (t) => {
  const classes = ['READS', 'WRITES', 'PAWPADO_READS', 'PAWPADO_WRITES', 'PAWPADO_POLLS', 'SIGN_INS']
  const env = Object.fromEntries(classes.map((one) => [`CARREL_${one}_PER_MINUTE`, '1']))
  const server = await TestApp.start({ env })
  t.after(() => server.stop())
  const token = await server.newAccount('limited')
  for (const [method, path] of [
    ['GET', '/balance'],
    ['POST', '/memory/usage'],
    ['GET', '/api/v1/session'],
    ['PATCH', '/api/v1/settings'],
    ['POST', '/login'],
  ] as const)
    await server.call(method, path, method === 'GET' ? undefined : {}, { token })
  const { body } = await server.call('GET', '/openapi.json', undefined, { token: null })
  const refused = new Map<Surface, number>()
  for (const [path, methods] of Object.entries<Record<string, Operation>>(body.paths))
    for (const [method, { security }] of Object.entries(methods)) {
      const address = path.replaceAll(/\{\w+\}/g, 'n0n3')
      const answer = await server.call(method.toUpperCase(), address, undefined, { token })
      // Of the routes without a token, those for signing in are limited.
      if (security.length === 0 && answer.status !== 429) continue
      const surface = surfaceOf(path)
      assert.equal(answer.status, 429, `${method} ${path}`)
      envelopes[surface](answer.status, answer.body)
      assert.ok(Number(answer.headers.get('retry-after')) >= 1, `${method} ${path}`)
      assert.equal(answer.headers.get('x-ratelimit-remaining'), '0')
      refused.set(surface, (refused.get(surface) ?? 0) + 1)
    }
  for (const surface of Object.keys(envelopes) as Surface[]) assert.ok(refused.get(surface)! >= 3, surface)
  const unknownAddress = await server.call('GET', '/api/v1/none', undefined, { token })
  assert.equal(unknownAddress.status, 429)
  envelopes.pawpado(429, unknownAddress.body)
})
