import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { firstMessages, laterMessages } from '../../src/apis/carrel/exec-messages.ts'
import { formatWords, patternWords } from '../../src/http/patterns.ts'
import { TestApp } from '../support/test-app.ts'

interface Operation {
  parameters?: { schema: object }[]
  requestBody?: { content: Record<string, { schema: object }> }
}

/** Keywords without words for a refusal: a route that starts to use one must add them. */
const undescribed = new Set(['multipleOf', 'exclusiveMinimum', 'exclusiveMaximum', 'not', 'contains'])

describe('the requirements of a request', { timeout: 300_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start()
  })
  after(() => server.stop())

  test('have words for every pattern and format of every route and socket', async () => {
    const { body } = await server.call('GET', '/openapi.json', undefined, { token: null })
    const operations = Object.values<Record<string, Operation>>(body.paths).flatMap((methods) => Object.values(methods))
    const schemas = operations.flatMap(({ parameters = [], requestBody }) => [
      ...parameters.map(({ schema }) => schema),
      ...Object.values(requestBody?.content ?? {}).map(({ schema }) => schema),
    ])
    const messages = Object.values({ ...firstMessages, ...laterMessages }).map((check) => check.schema)
    const found = { pattern: new Set<string>(), format: new Set<string>() }
    const look = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return
      for (const [key, value] of Object.entries(node)) {
        if ((key === 'pattern' || key === 'format') && typeof value === 'string') found[key].add(value)
        assert.ok(!undescribed.has(key), `a refusal has no words for "${key}"`)
        look(value)
      }
    }
    look([schemas, messages])
    assert.ok(found.pattern.size >= 5 && found.format.has('email'), 'the schemas were not found')
    assert.deepEqual(
      [...found.pattern].filter((pattern) => patternWords(pattern) === undefined),
      [],
    )
    // Bytes are not validated as text.
    assert.deepEqual(
      [...found.format].filter((format) => format !== 'binary' && !formatWords(format)),
      [],
    )
  })

  for (const [method, path, body, said] of [
    [
      'GET',
      '/billing/usage?limit=101',
      undefined,
      'Cannot use field "limit": it must be a whole number from 1 to 100; got "101"',
    ],
    [
      'GET',
      '/billing/usage?page=0',
      undefined,
      'Cannot use field "page": it must be a whole number from 1 to 9999999; got "0"',
    ],
    ['GET', '/v1/usage?days=x', undefined, 'Cannot use field "days": it must be a whole number from 1 to 999; got "x"'],
    [
      'POST',
      '/billing/deposit',
      { amount_cents: 500, currency: 'eur' },
      'Cannot use field "currency": it must be usd; got "eur"',
    ],
    ['POST', '/login', { email: 'you' }, 'Cannot use field "email": it must be an e-mail address; got "you"'],
    [
      'POST',
      '/users/me/api-keys',
      { scopes: ['compute', 'compute'] },
      'Cannot use field "scopes": it must contain no duplicates; got a list of 2 items',
    ],
    ['PATCH', '/v1/billing/preferences', {}, 'Cannot use field "body": it must not be empty'],
    [
      'POST',
      '/users/me/api-keys',
      { expires_at: 'x' },
      'Cannot use field "expires_at": there is no such field here; did you mean "expires_in"?',
    ],
    [
      'POST',
      '/topup',
      { amount_cents: 5 },
      'Cannot top up: send either "tier" or "amountCents". Unknown field "amount_cents" was ignored; did you mean "amountCents"?',
    ],
  ] as const)
    test(`${method} ${path} says: ${said}`, async () => {
      const answer = await server.call(method, path, body)
      const { error } = answer.body
      // Each surface has its own envelope, and this one also its own status.
      const status = /^\/(users|billing)\//.test(path) ? 422 : 400
      assert.deepEqual([answer.status, error.message ?? error], [status, said])
    })
})
