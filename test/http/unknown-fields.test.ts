import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { surfaces } from '../../src/apis/surfaces.ts'
import { removeUnknown } from '../../src/http/unknown-fields.ts'
import { surfaceOf } from '../../src/http/surface.ts'
import { SocketClient } from '../paperpod/socket-client.ts'
import { appRoutes, nameOf } from '../support/app-routes.ts'
import { TestApp } from '../support/test-app.ts'

const shell = { code: 'echo ok', language: 'shell' }
const ignored = (name: string, meant?: string) =>
  `Unknown field "${name}" was ignored${meant === undefined ? '.' : `; did you mean "${meant}"?`}`

describe('fields that a schema does not have', { timeout: 120_000 }, () => {
  let app: TestApp
  before(async () => {
    const names = ['SIGN_INS', 'PAWPADO_READS', 'PAWPADO_WRITES', 'PAWPADO_POLLS']
    app = await TestApp.start({
      env: Object.fromEntries(names.map((name) => [`CARREL_${name}_PER_MINUTE`, '0'])),
    })
  })
  after(() => app.stop())

  for (const [method, path, body, status, hint] of [
    ['POST', '/execute', { ...shell, sesionId: 'x' }, 200, ignored('sesionId', 'sessionId')],
    ['POST', '/execute', { ...shell, evn: {}, zz: 1 }, 200, `${ignored('evn', 'env')} ${ignored('zz')}`],
    ['POST', '/execute/stream', { ...shell, lang: 'x' }, 200, ignored('lang', 'language')],
    ['POST', '/memory/usage', { zz: 1 }, 200, ignored('zz')],
    ['POST', '/login', { email: 'you@example.com', redirect: '/' }, 200, ignored('redirect')],
    ['GET', '/files/download?path=/none&sesion=x', undefined, 404, ignored('sesion', 'sessionId')],
    ['PATCH', '/api/v1/settings', { theme: 'dark', them: 'x' }, 200, ignored('them', 'theme')],
    ['GET', '/v1/usage?day=5', undefined, 200, ignored('day', 'days')],
    ['DELETE', '/users/me/api-keys', { key_id: 'none', reason: 'x' }, 404, ignored('reason')],
    ['POST', '/auth/refresh', { token: 'x', grant_type: 'x' }, 401, ignored('grant_type')],
  ] as const)
    test(`${method} ${path} takes ${JSON.stringify(body)} and names what it ignored`, async () => {
      const answer = await app.call(method, path, body)
      assert.equal(answer.status, status, JSON.stringify(answer.body))
      assert.equal(answer.headers.get('carrel-hint'), hint)
    })

  test('are no reason to refuse a request of another service’s client, on any route', async () => {
    let asked = 0
    for (const route of await appRoutes()) {
      const { takesUnknownFields } = surfaceOf(surfaces, route.url)
      if (!route.schema.body || route.url === '/billing/webhook' || strict.has(nameOf(route))) continue
      const { body, headers } = await app.call(route.method, route.url.replaceAll(/:\w+/g, 'x'), { zz: 1 })
      const isRefused = JSON.stringify(body).includes('there is no such field here')
      assert.equal(headers.get('carrel-hint'), takesUnknownFields ? ignored('zz') : null, nameOf(route))
      assert.ok(!(takesUnknownFields && isRefused), nameOf(route))
      asked++
    }
    assert.ok(asked > 25, `${asked} routes`)
  })

  test('are refused where they could be a misspelt limit, and on Carrel’s own routes', async () => {
    for (const [method, path, body, field, meant] of [
      ['POST', '/users/me/api-keys', { scope: ['compute'] }, 'scope', 'scopes'],
      ['POST', '/users/me/api-keys', { ttl: 5 }, 'ttl'],
      ['PATCH', '/v1/billing/preferences', { dayly_limit_cents: 5 }, 'dayly_limit_cents', 'daily_limit_cents'],
      ['POST', '/v1/workspaces', { name: 'x', nmae: 'y' }, 'nmae', 'name'],
    ] as const) {
      const { status, body: answer } = await app.call(method, path, body)
      assert.ok(status === 400 || status === 422, path)
      const ending = meant === undefined ? '' : `; did you mean "${meant}"?`
      const message = answer.error.message ?? answer.error
      assert.equal(message, `Cannot use field "${field}": there is no such field here${ending}`)
    }
  })

  test('help to understand what is missing', async () => {
    const { body } = await app.post('/execute', { cod: 'x', language: 'shell' })
    assert.equal(body.error, `Cannot use field "code": it is missing. ${ignored('cod', 'code')}`)
  })

  test('null in an optional field means that the field is missing, without a hint', async () => {
    const nothing = { sessionId: null, timeout: null, env: null, cwd: null }
    for (const [method, path, body, status] of [
      ['POST', '/execute', { ...shell, ...nothing }, 200],
      ['POST', '/process/start', { command: 'true', processId: null, ...nothing }, 200],
      ['POST', '/memory/list', { prefix: null }, 200],
      ['POST', '/users/me/api-keys', { name: null, scopes: null, expires_in: null }, 200],
      ['POST', '/login', { email: 'you@example.com', wallet: null }, 200],
      ['PATCH', '/api/v1/settings', { theme: 'dark', locale: null }, 200],
      ['POST', '/execute', { ...shell, code: null }, 400],
    ] as const) {
      const answer = await app.call(method, path, body)
      assert.deepEqual(
        [answer.status, answer.headers.get('carrel-hint')],
        [status, null],
        `${path} ${JSON.stringify(body)}`,
      )
    }
  })

  test('become a suggestion on the WebSocket', async () => {
    const client = await SocketClient.open(app)
    for (const [message, hint] of [
      [{ type: 'exec', command: 'true', sesionId: 'x', timeout: null }, ignored('sesionId', 'sessionId')],
      [{ type: 'memory_list', prefx: 'x' }, ignored('prefx', 'prefix')],
      [{ type: 'memory_usage', zz: 1 }, ignored('zz')],
      [{ type: 'balance', zz: 1 }, ignored('zz')],
      [{ type: 'ping', data: { zz: 1 } }, ignored('zz')],
      [
        { type: 'exec', data: { command: 'true', ['__proto__x']: 1, constructor: 1 } },
        `${ignored('__proto__x')} ${ignored('constructor')}`,
      ],
    ] as const) {
      const id = client.begin(message)
      const suggestion = await client.next((one) => one.type === 'suggestion' && one.id === id)
      assert.deepEqual(suggestion.data, { message: hint, category: 'unknown_field' })
      const { type, data } = await client.answerTo(id)
      assert.notEqual(type, 'error', JSON.stringify(data))
    }
    const { data } = await client.ask({ type: 'exec', comand: 'true' })
    assert.match(data.error, /Cannot run: send one of "command", "code" and "argv"/)
    await client.close()
  })

  test('cannot break out of the header, fill it, or reach a prototype', async () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`field ${at} ${'x'.repeat(50)}`, at]))
    for (const fields of [
      { 'a\r\nset-cookie: x': 1 },
      { 'größe 😀': { deep: [[[{}]]] } },
      { ['x'.repeat(5000)]: 1 },
      { hasOwnProperty: 1, toString: 2, constructor: 3, valueOf: null },
      many,
    ]) {
      const answer = await app.post('/memory/list', fields)
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      const hint = answer.headers.get('carrel-hint')!
      assert.match(hint, /^Unknown field "[ -~]+$/)
      assert.ok(hint.length < 1000, `${hint.length} characters`)
      assert.equal(answer.headers.get('set-cookie'), null)
    }
    assert.match((await app.post('/memory/list', many)).headers.get('carrel-hint')!, /196 more were ignored\.$/)
  })
})

/** Routes that refuse unknown fields although their surface takes them: see the test of misspelt limits. */
const strict = new Set([
  'POST /users/me/api-keys',
  'PATCH /v1/billing/preferences',
  'POST /v1/computers/:id/shares/links',
])

test('removeUnknown() looks into lists and objects, and only as deep as the schema', () => {
  const inner = { type: 'object', properties: { name: { type: 'string' } }, additionalProperties: false }
  const schema = {
    type: 'object',
    required: ['must'],
    properties: {
      must: { type: 'string' },
      list: { type: 'array', items: inner },
      tty: { anyOf: [{ type: 'boolean' }, inner] },
      open: { type: 'object', patternProperties: { '^.*$': { type: 'string' } } },
      any: {},
      maybe: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    },
    additionalProperties: false,
  }
  const value = {
    must: null,
    list: [{ name: null, nam: 1 }, 5],
    tty: { x: 1 },
    open: { a: null, b: 1 },
    any: null,
    maybe: null,
    other: { deep: null },
  }
  const hints = removeUnknown(schema, value)
  assert.deepEqual(value, { must: null, list: [{}, 5], tty: {}, open: { a: null, b: 1 }, any: null, maybe: null })
  assert.deepEqual(hints, [ignored('list.0.nam', 'name'), ignored('tty.x'), ignored('other')])
})
