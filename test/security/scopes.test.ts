import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { appRoutes, appSockets, nameOf } from '../support/app-routes.ts'
import { TestApp } from '../support/test-app.ts'

/** What a token has to be for, by method and path; `any` is for every token. A route that none fits needs a line here. */
const needed: [route: RegExp, scope: 'compute' | 'account' | 'any'][] = [
  [/^\w+ \/(execute|interpret|watch|files|process|expose|memory|ws|browser|ai)(\/|$)/, 'compute'],
  [/^GET \/(users\/me|v1\/me|v1\/usage|v1\/billing\/preferences|balance|billing\/balance|billing\/usage)$/, 'any'],
  [/^\w+ \/(topup|billing\/deposit|api\/v1\/credits\/.+|api\/v1\/billing\/storage)$/, 'any'],
  [/^GET \/api\/v1\/(settings|session)$/, 'any'],
  [/^\w+ \/(users\/me\/api-keys|users\/me\/sessions|v1\/workspaces|v1\/billing|api\/v1\/account)(\/|$)/, 'account'],
  [/^PATCH \/api\/v1\/settings$/, 'account'],
  [/^\w+ \/v1\/(exec|sandboxes|computers|operations|ssh-keys|snapshots)(\/|$)/, 'compute'],
  [/^\w+ \/datasets(\/|$)/, 'account'],
  [/^GET \/samples\//, 'compute'],
  [/^\w+ \/sessions(\/|$)/, 'compute'],
  [/^\w+ \/v1\/computer-(images|capacity)(\/|$)/, 'any'],
]

/** Every route that needs a token. A HEAD route has the scope of its GET route. */
const routes = (await appRoutes())
  .filter(({ isPublic, takesSession, method }) => !isPublic && !takesSession && method !== 'HEAD')
  .map(({ method, url }) => ({
    method,
    path: url,
    scope: needed.find(([pattern]) => pattern.test(nameOf({ method, url })))?.[1],
  }))

describe('API keys with a single scope', { timeout: 60_000 }, () => {
  let server: TestApp
  let keys: Record<'compute' | 'account', string>
  before(async () => {
    server = await TestApp.start()
    const token = await server.newAccount('scopes')
    const keyFor = async (scope: string) =>
      (await server.post('/users/me/api-keys', { scopes: [scope] }, { token })).body.api_key as string
    keys = { compute: await keyFor('compute'), account: await keyFor('account') }
  })
  after(() => server.stop())

  const ask = (method: string, path: string, token: string) =>
    server.call(method, path, method === 'GET' ? undefined : '{not even JSON', { token })

  test('every route that needs a token is listed here with its scope', () => {
    assert.ok(routes.length >= 50)
    assert.deepEqual(
      routes.filter(({ scope }) => scope === undefined).map(({ method, path }) => `${method} ${path}`),
      [],
    )
  })

  for (const [own, other] of [
    ['compute', 'account'],
    ['account', 'compute'],
  ] as const)
    test(`a key for ${own} is refused by every route for ${other}, before the rest of the request is looked at`, async () => {
      const closed = routes.filter(({ scope }) => scope === other)
      assert.ok(closed.length >= 5)
      for (const { method, path } of closed) {
        const { status, body } = await ask(method, path, keys[own])
        assert.equal(status, 403, `${method} ${path}`)
        // Each surface has an envelope of its own.
        assert.match(JSON.stringify(body), /"(code|error)":"FORBIDDEN"/, `${method} ${path}`)
      }
    })

  test('a key is let in by every route that it is for', async () => {
    for (const own of ['compute', 'account'] as const)
      for (const { method, path } of routes.filter(({ scope }) => scope === own || scope === 'any')) {
        // Sessions are for the token of a sign-in alone, and datasets are changed by the owner of the server.
        if (path === '/ws' || path === '/v1/exec' || /^\/(users\/me\/sessions|datasets)/.test(path)) continue
        const { status } = await ask(method, path, keys[own])
        assert.ok(status !== 401 && status !== 403, `${method} ${path} with a key for ${own} answered ${status}`)
      }
  })

  test('a WebSocket opens only with a key for computers', async () => {
    for (const path of await appSockets()) {
      const connect = (token: string) =>
        new WebSocket(`${server.url.replace('http', 'ws')}${path}`, { headers: { authorization: `Bearer ${token}` } })
      const refused = connect(keys.account)
      refused.on('error', () => {})
      const [, answer] = (await once(refused, 'unexpected-response')) as [unknown, { statusCode: number }]
      assert.equal(answer.statusCode, 403, path)
      refused.terminate()
      const open = connect(keys.compute)
      await once(open, 'open')
      open.terminate()
    }
  })
})
