import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Compile } from 'typebox/compile'
import { surfaces } from '../../src/apis/surfaces.ts'
import { surfaceOf } from '../../src/http/surface.ts'
import { computerRows } from '../faults/host-traces.ts'
import { successOf } from '../../src/http/success-of.ts'
import { jsonSchemaOf } from '../support/json-schema.ts'
import { newSession, until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

interface Operation {
  operationId: string
  summary?: string
  description?: string
  security: unknown[]
  parameters?: { name: string; in: string; required?: boolean; schema: object }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: Schema }> }>
}
interface Schema {
  type?: string
  format?: string
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: unknown
}

const bodiless = new Set([
  'POST /memory/usage',
  'POST /ws/session',
  'POST /ws/ticket',
  'POST /api/v1/account/cancel-deletion',
  'POST /v1/workspaces/{workspaceId}/cancel-deletion',
  'POST /v1/sandboxes/{sandboxId}/stop',
  'POST /v1/computers/{id}/actions/start',
  'POST /v1/computers/{id}/snapshots',
  'POST /v1/computers/{id}/actions/stop',
  'POST /v1/computers/{id}/actions/ensure-ready',
])

describe('GET /openapi.json', { timeout: 300_000 }, () => {
  let server: TestApp
  let document: { openapi: string; info: Record<string, string>; paths: Record<string, Record<string, Operation>> }
  let operations: [name: string, operation: Operation][]

  before(async () => {
    server = await TestApp.start()
    document = (await server.call('GET', '/openapi.json', undefined, { token: null })).body
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, Operation] => [
        `${method.toUpperCase()} ${path}`,
        operation,
      ]),
    )
  })
  after(() => server.stop())

  test('is OpenAPI 3.0 with a title, a version and routes', () => {
    assert.equal(document.openapi, '3.0.3')
    assert.ok(document.info.title && document.info.version)
    assert.ok(operations.length >= 20)
  })

  test('gives each operation a unique id', () => {
    const ids = operations.map(([, { operationId }]) => operationId)
    assert.equal(new Set(ids).size, ids.length)
    for (const id of ids) assert.match(id, /^[a-z][A-Za-z]+$/)
  })

  test('describes what each operation does, and how it is secured', () => {
    const open = new Set([
      'GET /',
      'GET /health',
      'GET /healthz',
      'GET /readyz',
      'GET /v1/status/uptime',
      'GET /v1/shares/{token}',
      'GET /datasets',
      'GET /samples',
      'POST /v1/shares/{token}/access-sessions',
      'GET /api/v1/health',
      'GET /docs',
      'GET /docs/{surface}',
      'GET /skills/{surface}.md',
      'GET /openapi.json',
      'GET /openapi/{surface}.json',
      'GET /api/v1/openapi.json',
      'GET /.well-known/openid-configuration',
      'GET /.well-known/jwks.json',
      'GET /SKILL.md',
      'GET /topup',
      'GET /.well-known/skill.md',
      'GET /invitation',
      'GET /login/callback',
      'POST /invitation',
      'POST /login/callback',
      'POST /auth/github',
      'POST /auth/refresh',
      'POST /login',
      'GET /billing/pricing',
      'POST /billing/webhook',
      'GET /v1/computer-size-presets',
    ])
    for (const [name, { summary, description, security }] of operations) {
      assert.ok(summary && description, name)
      assert.deepEqual(security, open.has(name) ? [] : [{ bearer: [] }], name)
    }
  })

  test('has a schema for the response of each operation', () => {
    for (const [name, { responses }] of operations) {
      if (name === 'GET /ws' || name === 'GET /v1/exec') {
        assert.ok(responses['101'] && !responses['200'], 'a WebSocket switches protocols')
        continue
      }
      const [status, { content = {} }] = successOf(responses)!
      assert.equal(Object.keys(content).length === 0, status === '204', `${name} has no schema for its response`)
      for (const [type, { schema }] of Object.entries(content)) {
        assert.match(type, /^[a-z]+\/[a-z-]+$/)
        assert.ok(schema.type, name)
        const { properties = {} } = schema.items ?? schema
        if (type === 'application/json') assert.ok(Object.keys(properties).length > 0, name)
      }
    }
  })

  test('has a schema for the body of each POST that has one', () => {
    for (const [name, { requestBody }] of operations) {
      if (!name.startsWith('POST ') || bodiless.has(name)) continue
      const [schema] = Object.values(requestBody?.content ?? {}).map((media) => media.schema)
      if (schema?.format === 'binary') continue
      assert.equal(schema?.type, 'object', name)
      // Stripe defines what it sends, and clients of other services may send more than their documents say.
      const more = name === 'POST /billing/webhook' ? true : isStrict(name) ? false : undefined
      assert.equal(schema.additionalProperties, more, name)
      for (const field of schema.required ?? []) assert.ok(schema.properties?.[field], `${name} ${field}`)
    }
  })

  test('has no dangling references', () => {
    const text = JSON.stringify(document)
    for (const [, reference] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = reference!.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document)
      assert.ok(found, `${reference} is missing`)
    }
  })

  test('describes the actual responses', async () => {
    const sessionId = newSession()
    const calls: [string, Record<string, unknown>][] = [
      ['/execute', { code: String.raw`printf '\xff'; exit 3`, language: 'shell', sessionId }],
      ['/execute', { code: 'sleep 9', language: 'shell', timeout: 100, sessionId }],
      ['/files/write', { path: 'a', content: 'x', sessionId }],
      ['/files/read', { path: 'a', sessionId }],
      ['/files/list', { path: '/', sessionId }],
      ['/files/mkdir', { path: 'b', sessionId }],
      ['/process/start', { command: 'sleep 60', processId: 'p', sessionId }],
      ['/process/list', { sessionId }],
      ['/process/get', { processId: 'p', sessionId }],
      ['/process/kill', { processId: 'p', sessionId }],
      ['/expose', { port: 8080, sessionId }],
      ['/memory/write', { path: sessionId, content: 'x' }],
      ['/memory/read', { path: sessionId }],
      ['/memory/list', {}],
      ['/memory/usage', {}],
      ['/memory/delete', { path: sessionId }],
    ]
    for (const [path, body] of calls) {
      const { status, body: answer } = await server.post(path, body)
      assert.equal(status, 200, path)
      const { schema } = document.paths[path]!.post!.responses['200']!.content!['application/json']!
      const errors = [...Compile(jsonSchemaOf(schema) as never).Errors(answer)]
      assert.deepEqual(errors, [], path)
    }
    const health = await server.call('GET', '/health')
    assert.ok(
      Compile(
        jsonSchemaOf(document.paths['/health']!.get!.responses['200']!.content!['application/json']!.schema) as never,
      ).Check(health.body),
    )
  })
})

describe('GET /metrics', { timeout: 300_000 }, () => {
  let server: TestApp
  const metricsToken = 'of-the-one-that-scrapes'
  before(async () => {
    server = await TestApp.start({ env: { CARREL_METRICS_TOKEN: metricsToken } })
  })
  after(() => server.stop())

  const read = async (): Promise<Map<string, number>> => {
    const { status, headers, body } = await server.call('GET', '/metrics')
    assert.equal(status, 200)
    assert.match(headers.get('content-type')!, /^text\/plain; version=0\.0\.4; charset=utf-8$/)
    const values = new Map<string, number>()
    const described = new Set<string>()
    for (const line of (body as string).trimEnd().split('\n')) {
      const comment = /^# (?:HELP|TYPE) ([a-z_]+) \S.*$/.exec(line)
      if (line === '') continue
      if (comment) described.add(comment[1]!)
      else {
        const [, name, labels, value] = /^([a-z_]+)(\{[^}]*\})? (\S+)$/.exec(line) ?? []
        assert.ok(name, `not a line of Prometheus: ${line}`)
        assert.ok(described.has(name.replace(/_(bucket|sum|count)$/, '')) || described.has(name), name)
        values.set(name + (labels ?? ''), Number(value))
      }
    }
    return values
  }

  test('is for the operator: closed to anonymous clients, other accounts and narrower keys', async () => {
    const asked = async (token: string | null, headers = {}) =>
      (await server.call('GET', '/metrics', undefined, { token, headers })).status
    assert.equal(await asked(null), 401)
    assert.equal(await asked(null, { 'x-forwarded-for': '127.0.0.1' }), 401)
    assert.equal(await asked('wrong'), 401)
    assert.equal(await asked(await server.newAccount('other')), 403)
    const { body } = await server.post('/users/me/api-keys', { name: 'computes', scopes: ['compute'] })
    assert.equal(await asked(body.api_key), 403)
    assert.equal(await asked(metricsToken), 200)
    assert.equal((await server.call('GET', '/balance', undefined, { token: metricsToken })).status, 401)
  })

  test('is in the format of Prometheus, with a description of every value', async () => {
    const values = await read()
    for (const [name, value] of values) assert.ok(Number.isFinite(value), name)
    assert.ok([...values.keys()].every((name) => name.startsWith('carrel_')))
  })

  test('counts processes, computers and requests', async () => {
    const sessionId = newSession()
    const before = await read()
    for (let round = 0; round < 3; round++) await server.shell('true', { sessionId })
    await server.post('/process/start', { command: 'sleep 60', processId: 'p', sessionId })
    const during = await read()
    const grew = (name: string) => (during.get(name) ?? 0) - (before.get(name) ?? 0)
    assert.equal(grew('carrel_process_starts_total'), 4)
    assert.equal(grew('carrel_processes_running'), 1)
    // Computers of other tests stop when they are idle.
    const running = (await computerRows()).filter(({ state }) => state === 'running').length
    await until(read, (values) => Math.abs(values.get('carrel_computers{state="running"}')! - running) <= 1)
    assert.equal(grew('carrel_http_request_seconds_count{route="/execute",method="POST",status="200"}'), 3)
    await server.post('/process/kill', { processId: 'p', sessionId })
    assert.equal((await read()).get('carrel_processes_running'), before.get('carrel_processes_running'))
  })

  test('has no label whose values a client can multiply', async () => {
    const before = (await read()).size
    for (let round = 0; round < 50; round++) await server.call('GET', `/made-up-${round}`)
    await server.call('GET', '/health')
    const labels = [...(await read()).keys()].join('\n')
    assert.ok(!labels.includes('made-up'))
    assert.ok((await read()).size - before < 80)
  })
})

/** Returns whether a route refuses fields that its schema does not have. */
function isStrict(name: string): boolean {
  const own = ['POST /users/me/api-keys', 'POST /v1/computers/{id}/shares/links']
  return own.includes(name) || surfaceOf(surfaces, name.replace(/^\w+ /, '')).name === 'carrel'
}
