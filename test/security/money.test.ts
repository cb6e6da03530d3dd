import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { linkIn, messagesTo, newAddress, signInByMail } from '../identity/outbox.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

const roles = ['member', 'admin', 'owner'] as const
const scopes = ['compute', 'account', 'everything'] as const
type Who = `${(typeof roles)[number]} by ${(typeof scopes)[number]}`

const everyone = roles.flatMap((role) => scopes.map((scope): Who => `${role} by ${scope}`))
const managers: Who[] = ['admin by account', 'admin by everything', 'owner by account', 'owner by everything']

interface MoneyRoute {
  /** The body; a function gets the id of the key that sends the request. */
  body?: object | ((keyId: string) => object)
  /** The status of the response to callers that may use the route. */
  status: number
  may: readonly Who[]
}

const reading: MoneyRoute = { status: 200, may: everyone }

/** Every route about money that needs a token, who may use it, and the status that they get. */
const moneyRoutes: Record<string, MoneyRoute> = {
  'GET /balance': reading,
  'GET /billing/balance': reading,
  'GET /billing/usage': reading,
  'GET /api/v1/credits/me': reading,
  'GET /api/v1/billing/storage': reading,
  'GET /v1/usage': reading,
  'GET /v1/billing/preferences': reading,
  // The response requests a payment.
  'POST /topup': { body: { tier: 'starter' }, status: 402, may: everyone },
  'POST /api/v1/credits/topup': { body: { tier: 'starter' }, status: 200, may: everyone },
  'POST /billing/deposit': { body: { amount_cents: 500 }, status: 200, may: everyone },
  // An API key can limit itself only.
  'PATCH /v1/billing/preferences': {
    body: (keyId) => ({ keys: [{ key_id: keyId, daily_limit_cents: 100_000 }] }),
    status: 200,
    may: managers,
  },
}

describe('who may do what with the money of a workspace', { timeout: 300_000 }, () => {
  let server: TestApp
  const keys = new Map<Who, { api_key: string; key_id: string }>()

  before(async () => {
    const env = {
      CARREL_PLAY_MONEY: 'on',
      // The node need not exist: a challenge does not contact it.
      CARREL_TEMPO_RECIPIENT: '0x1111111111111111111111111111111111111111',
      CARREL_TEMPO_RPC: 'http://127.0.0.1:9',
      CARREL_SIGN_INS_PER_MINUTE: '0',
    }
    server = await TestApp.start({ env })
    const owner = await signInByMail(server)
    const { workspace_id: id } = await done(owner, 'POST', '/v1/workspaces', { name: 'Team' })
    for (const role of roles) {
      const person = role === 'owner' ? owner : await join(owner, id)
      for (const scope of scopes)
        keys.set(
          `${role} by ${scope}`,
          await done(
            `${person}~${id}`,
            'POST',
            '/users/me/api-keys',
            scope === 'everything' ? {} : { scopes: [scope] },
          ),
        )
      // The rights of a key follow its user's role.
      const { user_id } = await done(person, 'GET', '/users/me')
      if (role === 'member') await done(owner, 'PATCH', `/v1/workspaces/${id}/members/${user_id}`, { role })
    }
  })
  after(() => server.stop())

  const done = async (token: string | null, method: string, path: string, body?: unknown) => {
    const answer = await server.call(method, path, body, { token })
    assert.equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  /** An admin, because only admins can create keys. */
  const join = async (owner: string, id: string): Promise<string> => {
    const email = newAddress()
    await done(owner, 'POST', `/v1/workspaces/${id}/invitations`, { email, role: 'admin' })
    const [message] = await until(
      () => messagesTo(email),
      (messages) => messages.length > 0,
    )
    await done(null, 'POST', '/invitation', { token: new URL(linkIn(message!)).searchParams.get('token') })
    return signInByMail(server, email)
  }

  test('every route about money that needs a token is in the table', async () => {
    const { paths } = await done(null, 'GET', '/openapi.json')
    const found = Object.entries<Record<string, { security: unknown[] }>>(paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(
          ([, { security }]) => security.length > 0 && /balance|billing|credit|deposit|topup|\/v1\/usage/.test(path),
        )
        .map(([method]) => `${method.toUpperCase()} ${path}`),
    )
    assert.deepEqual(found.toSorted(), Object.keys(moneyRoutes).toSorted())
  })

  for (const [route, { body, status, may }] of Object.entries(moneyRoutes))
    test(`${route} is for ${may === everyone ? 'every scope and role' : may.join(', ')}`, async () => {
      const [method, path] = route.split(' ') as [string, string]
      const answers = await Promise.all(
        everyone.map(async (who) => {
          const { api_key: token, key_id: keyId } = keys.get(who)!
          const answer = await server.call(method, path, typeof body === 'function' ? body(keyId) : body, { token })
          return [who, answer.status] as const
        }),
      )
      assert.deepEqual(
        answers,
        everyone.map((who) => [who, may.includes(who) ? status : 403]),
      )
    })
})
