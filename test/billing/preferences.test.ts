import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

describe('/v1/billing/preferences', { timeout: 300_000 }, () => {
  let server: TestApp
  let token: string
  before(async () => {
    server = await TestApp.start({ env: { CARREL_SWEEP_INTERVAL_MS: '100' } })
    token = await server.newAccount('limits')
  })
  after(() => server.stop())

  const read = async (by = token) =>
    (await server.call('GET', '/v1/billing/preferences', undefined, { token: by })).body
  const change = (body: unknown, by = token) => server.call('PATCH', '/v1/billing/preferences', body, { token: by })
  const newKey = async (by = token) =>
    (await server.post('/users/me/api-keys', { name: 'ci' }, { token: by })).body as { key_id: string; api_key: string }
  const run = (by: string, code = 'true') => server.post('/execute', { code, language: 'shell' }, { token: by })
  const none = {
    daily_limit_cents: null,
    daily_spent_cents: null,
    monthly_limit_cents: null,
    monthly_spent_cents: null,
  }
  const noReloads = {
    enabled: false,
    balance_threshold_cents: 0,
    reload_amount_cents: 0,
    monthly_spend_limit_cents: 0,
    monthly_reload_limit: 0,
  }

  test('a limit can be set, survives other changes, and can be removed', async () => {
    const { workspace_id: id } = (await server.call('GET', '/v1/me', undefined, { token })).body
    assert.deepEqual(await read(), { workspace_id: id, ...none, auto_reload: noReloads, keys: [] })
    await change({ daily_limit_cents: 500 })
    const { status, body } = await change({ monthly_limit_cents: 9_900 })
    assert.equal(status, 200)
    assert.deepEqual([body.daily_limit_cents, body.monthly_limit_cents], [500, 9_900])
    assert.deepEqual(await read(), body)
    const { body: usage } = await server.call('GET', '/v1/usage', undefined, { token })
    const [day, month] = usage.limits
    assert.deepEqual([day.period, day.limitMicros, day.keyId], ['day', 5_000_000, undefined])
    assert.deepEqual([month.period, month.limitMicros], ['month', 99_000_000])
    assert.ok(Date.parse(day.resetsAt) > Date.now() && Date.parse(day.resetsAt) <= Date.now() + 86_400_000)
    await change({ daily_limit_cents: null, monthly_limit_cents: null })
    assert.deepEqual(await read(), { workspace_id: id, ...none, auto_reload: noReloads, keys: [] })
  })

  test('fields of the service’s clients set the monthly limit, and no automatic reloads', async () => {
    const reloads = { auto_reload_enabled: false, balance_threshold_cents: 500, reload_amount_cents: 1000 }
    const { body } = await change({ ...reloads, monthly_spend_limit_cents: 2500 })
    assert.deepEqual(body.auto_reload, { ...noReloads, monthly_spend_limit_cents: 2500 })
    assert.equal(body.monthly_limit_cents, 2500)
    assert.deepEqual((await change({ monthly_spend_limit_cents: 0 })).body.auto_reload, noReloads)
    const turnedOn = await change({ auto_reload_enabled: true })
    assert.deepEqual([turnedOn.status, turnedOn.body.error.code], [501, 'not_set_up'])
    const twice = await change({ monthly_spend_limit_cents: 5, monthly_limit_cents: 6 })
    assert.deepEqual([twice.status, twice.body.error.code], [400, 'invalid_request'])
  })

  test('a limit of a key refuses only that key, and says until when', async () => {
    const key = await newKey()
    await change({ keys: [{ key_id: key.key_id, daily_limit_cents: 0 }] })
    const { status, body } = await run(key.api_key)
    assert.deepEqual([status, body.code, body.action], [402, 'SPENDING_LIMIT_REACHED', 'RAISE_LIMIT'])
    assert.deepEqual([body.tokenId, body.period, body.limitMicros], [key.key_id, 'day', 0])
    assert.equal(body.resetsAt.slice(10), 'T00:00:00.000Z')
    assert.equal((await run(token)).status, 200)
    const [listed] = (await read()).keys
    assert.deepEqual([listed.key_id, listed.name, listed.daily_limit_cents], [key.key_id, 'ci', 0])
    await change({ keys: [{ key_id: key.key_id, daily_limit_cents: 1 }] })
    assert.equal((await run(key.api_key)).status, 200)
    await server.call('DELETE', '/users/me/api-keys', { key_id: key.key_id }, { token })
    assert.deepEqual((await read()).keys, [])
  })

  test('a key can tighten its own limit, but neither raise it, nor limit others, nor create a key without a limit', async () => {
    const own = await server.newAccount('bound')
    const key = await newKey(own)
    const byKey = async (body: unknown) => (await change(body, key.api_key)).status
    const ofItself = (cents: number | null) => ({ keys: [{ key_id: key.key_id, daily_limit_cents: cents }] })
    const other = await newKey(own)
    await change({ daily_limit_cents: 500 }, own)
    for (const daily_limit_cents of [0, 500, 501, null]) assert.equal(await byKey({ daily_limit_cents }), 403)
    assert.equal(await byKey({ monthly_limit_cents: 0 }), 403)
    assert.equal(await byKey({ keys: [{ key_id: other.key_id, daily_limit_cents: 0 }] }), 403)
    assert.equal((await read(own)).daily_limit_cents, 500)
    assert.deepEqual((await read(own)).keys, [])
    const child = await newKey(key.api_key)
    const ofChild = (cents: number | null) => byKey({ keys: [{ key_id: child.key_id, daily_limit_cents: cents }] })
    assert.deepEqual([await ofChild(400), await ofChild(400)], [200, 200])
    assert.deepEqual([await ofChild(401), await ofChild(null)], [403, 403])
    assert.equal((await change(ofItself(0), own)).status, 409, 'what it made would have none')
    await server.call('DELETE', '/users/me/api-keys', { key_id: child.key_id }, { token: own })
    assert.deepEqual([await byKey(ofItself(1)), await byKey(ofItself(0))], [200, 200])
    for (const cents of [1, null]) assert.equal(await byKey(ofItself(cents)), 403)
    const { status, body } = await server.post('/users/me/api-keys', { name: 'free' }, { token: key.api_key })
    assert.deepEqual([status, body.code], [403, 'FORBIDDEN'])
    assert.equal((await change({ ...ofItself(null), daily_limit_cents: null }, own)).status, 200)
  })

  test('a limit of the workspace ends what runs, and is reported as spent', async () => {
    const own = await server.newAccount('spends')
    await server.post('/process/start', { command: 'sleep 600', processId: 'long', timeout: 0 }, { token: own })
    await change({ monthly_limit_cents: 0 }, own)
    await until(
      () => server.post('/process/list', {}, { token: own }),
      ({ body }) => body.processes.every(({ status }: { status: string }) => status !== 'running'),
    )
    assert.equal((await run(own)).body.code, 'SPENDING_LIMIT_REACHED')
    const usage = async () => (await server.call('GET', '/v1/usage', undefined, { token: own })).body
    const { limits } = await until(usage, (body) => body.limits[0].spentMicros > 0, 30_000)
    assert.equal(limits[0].limitMicros, 0)
    assert.equal((await read(own)).monthly_spent_cents, limits[0].spentMicros / 10_000)
  })

  test("another workspace's key is not found, and nothing is changed", async () => {
    const other = await server.newAccount()
    const { key_id: keyId } = await newKey(other)
    const { status, body } = await change({ daily_limit_cents: 7, keys: [{ key_id: keyId, daily_limit_cents: 0 }] })
    assert.deepEqual([status, body.code], [404, 'NOT_FOUND'])
    assert.equal((await read()).daily_limit_cents, null)
    assert.deepEqual((await read(other)).keys, [])
  })

  for (const [why, body] of Object.entries({
    nothing: {},
    'less than nothing': { daily_limit_cents: -1 },
    'part of a cent': { daily_limit_cents: 0.5 },
    'a text': { daily_limit_cents: '5' },
    'more than all': { monthly_limit_cents: 1e18 },
    'a field that is none': { weekly_limit_cents: 5 },
  }))
    test(`${why} is refused`, async () => {
      const { status, body: answer } = await change(body)
      assert.deepEqual([status, answer.code], [400, 'INVALID_REQUEST'])
    })
})
