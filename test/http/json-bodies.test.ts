import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { appRoutes, nameOf, type AppRoute } from '../support/app-routes.ts'
import type { Answer } from '../support/test-client.ts'
import { TestApp } from '../support/test-app.ts'

const form = 'application/x-www-form-urlencoded'
/** Undefined: the request has no content type. */
const types = [undefined, form, `${form}; charset=UTF-8`, 'text/plain', 'text/plain;charset=UTF-8']

const routes = await appRoutes()
/** These take true forms besides JSON. */
const takesForms = new Set([
  'POST /login/callback',
  'POST /invitation',
  'POST /sign-in',
  'POST /share/:token',
  'POST /api/cli/auth',
  'POST /api/cli/auth/mail',
  'POST /api/cli/auth/answer',
])
/** The webhook takes the bytes that were signed. */
const takesJson = (route: AppRoute) => route.schema.body !== undefined && route.url !== '/billing/webhook'

describe('JSON of any content type', { timeout: 120_000 }, () => {
  let app: TestApp
  before(async () => {
    const names = ['SIGN_INS', 'PAWPADO_READS', 'PAWPADO_WRITES', 'PAWPADO_POLLS']
    app = await TestApp.start({
      env: Object.fromEntries(names.map((name) => [`CARREL_${name}_PER_MINUTE`, '0'])),
    })
  })
  after(() => app.stop())

  /** Sends a body with a content type, or with none. */
  async function send(path: string, body: string, type: string | undefined, more: Sent = {}): Promise<Answer> {
    const { method = 'POST', token = app.token } = more
    const response = await fetch(app.url + path, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(type === undefined ? {} : { 'content-type': type }),
      },
      body: new TextEncoder().encode(body),
    })
    return { status: response.status, headers: response.headers, body: await jsonOf(response) }
  }

  interface Sent {
    method?: string
    token?: string | null
  }

  const pathOf = ({ url }: AppRoute) => url.replaceAll(/:\w+/g, 'x')

  test('is read as JSON on every route that takes JSON', async () => {
    let asked = 0
    for (const route of routes.filter(takesJson)) {
      const { method } = route
      const { status, body } = await send(pathOf(route), '[]', 'application/json', { method })
      assert.ok(status === 400 || status === 422, nameOf(route))
      for (const type of types) {
        const answer = await send(pathOf(route), '[]', type, { method })
        if (type?.startsWith(form) && takesForms.has(nameOf(route))) continue
        const same = [answer.status, { ...answer.body, requestId: '' }]
        assert.deepEqual(same, [status, { ...body, requestId: '' }], `${nameOf(route)} as ${type}`)
        asked++
      }
    }
    assert.ok(asked > 100, `${asked} requests`)
  })

  test('signs in, as the first command of the document does', async () => {
    for (const type of types) {
      const { status, body } = await send('/login', '{"email":"you@example.com"}', type, { token: null })
      assert.deepEqual([status, body.success], [200, true], String(type))
    }
  })

  test('is told apart from a form on routes that take both', async () => {
    for (const path of ['/login/callback', '/invitation'])
      for (const [type, body] of [
        [form, 'token=unknown'],
        [form, '{"token":"unknown"}'],
        [undefined, ' {"token":"unknown"}'],
        ['text/plain', '{"token":"unknown"}'],
      ] as const) {
        const answer = await send(path, body, type, { token: null })
        assert.deepEqual([answer.status, answer.body.code], [401, 'UNAUTHENTICATED'], `${path} ${type} ${body}`)
      }
  })

  test('a form says that the route takes JSON, with an example', async () => {
    const { status, body } = await send('/login', 'email=you%40example.com', form, { token: null })
    assert.deepEqual([status, body.code, body.field], [400, 'INVALID_REQUEST', 'body'])
    assert.match(body.error, /its body is a form, but the route takes JSON, such as \{"email":"you@example.com"\}$/)
    const text = await send('/login', 'email', 'text/plain', { token: null })
    assert.match(text.body.error, /its body is not valid JSON/)
    const broken = await send('/login', '{"email"', form, { token: null })
    assert.match(broken.body.error, /its body is not valid JSON/)
  })

  test('has the bounds of JSON', async () => {
    for (const type of types)
      for (const [bytes, expected, message] of [
        [`{"path":${'['.repeat(100)}${']'.repeat(100)}}`, 400, /nests more than 64 deep/],
        [`{"path":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 400, /nests more than 64 deep/],
        ['{"path":"\\ud800"}', 400, /"path": it is not valid Unicode/],
        ['{"__proto__":{"path":"x"}}', 400, /a key "__proto__"/],
        [`{"path":"${'x'.repeat(300_000)}"}`, 413, /larger than/],
      ] as const) {
        const { status, body } = await send('/files/read', bytes, type)
        assert.equal(status, expected, `${type}: ${bytes.slice(0, 40)}`)
        assert.match(body.error, message)
      }
  })

  test('never makes the server fail, whatever it is and wherever it is sent', async () => {
    const bodies = ['', 'a=b&a=c', 'null', '{"a":{"b":null}}', '\ufeff{}', '{"constructor":{"prototype":1}}']
    let asked = 0
    for (const route of routes) {
      const { method, contentType } = route
      if (method === 'GET' || method === 'HEAD') continue
      for (const type of [undefined, form, 'text/plain', contentType ?? 'application/json'])
        for (const body of bodies) {
          const { status } = await send(pathOf(route), body, type, { method })
          assert.notEqual(status, 500, `${nameOf(route)} as ${type}: ${JSON.stringify(body)}`)
          asked++
        }
    }
    assert.ok(asked > 900, `${asked} requests`)
    assert.equal(app.log(), '')
  })

  test('an empty body is an empty object where all fields are optional, and otherwise refused', async () => {
    for (const type of [...types, 'application/json']) {
      assert.equal((await send('/memory/list', '', type)).status, 200, String(type))
      assert.equal((await send('/memory/usage', '', type)).status, 200, String(type))
      assert.equal((await send('/files/read', '', type)).status, 400, String(type))
    }
  })
})

describe('a cross-site request', { timeout: 60_000 }, () => {
  test('has no credential that a browser adds by itself, on any route', async (t) => {
    const app = await TestApp.start()
    t.after(() => app.stop())
    const ambient = { cookie: `token=${app.token}; session=${app.token}`, origin: 'https://elsewhere.example' }
    for (const { method, url, isPublic } of routes) {
      if (isPublic || method === 'GET' || method === 'HEAD') continue
      for (const authorization of [undefined, `Basic ${Buffer.from(`x:${app.token}`).toString('base64')}`]) {
        const headers = { 'content-type': 'text/plain', ...ambient, ...(authorization ? { authorization } : {}) }
        const answer = await app.call(method, url.replaceAll(/:\w+/g, 'x'), '{}', { token: null, headers })
        assert.equal(answer.status, 401, `${method} ${url}`)
        assert.equal(answer.headers.get('access-control-allow-origin'), null)
        assert.equal(answer.headers.get('set-cookie'), null)
      }
    }
  })
})

/** Returns the body of an answer; undefined where it is not JSON. */
async function jsonOf(response: Response): Promise<Answer['body']> {
  const text = await response.text()
  return response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : undefined
}
