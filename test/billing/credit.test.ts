import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createToken } from '../../src/engine/identity/accounts/tokens.ts'
import { setSpendingLimit } from '../../src/engine/money/credit/spending-limits.ts'
import { refuseRows } from '../support/refuse-rows.ts'
import { newSession, until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'
import {
  assertBooksAreRight,
  database,
  dearEnvironment,
  newLimitedKey,
  newTenant,
  pay,
  priceBook,
  verify,
} from './tenants.ts'
import { withDatabase } from '../support/with-database.ts'
import { askForLink, newAddress, signInByMail } from '../identity/outbox.ts'

const env = { ...dearEnvironment, CARREL_IDLE_TIMEOUT_S: '2' }

describe('accounts that pay', { timeout: 300_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start({ env })
  })
  after(() => server.stop())

  const balance = async (token: string) =>
    (await server.call('GET', '/balance', undefined, { token })).body.creditsRemaining
  const run = (token: string, code: string, sessionId = '') =>
    server.post('/execute', { code, language: 'shell', sessionId }, { token })

  test('a new account has its first credit, and pays only for the time in which something runs', async () => {
    const { token } = await newTenant()
    assert.equal(await balance(token), 2)
    const beganMs = performance.now()
    assert.equal((await run(token, 'sleep 0.3')).status, 200)
    const left = await balance(token)
    const seconds = (performance.now() - beganMs) / 1000
    assert.ok(left <= 1.75 && left >= 2 - seconds, `$${left} are left after ${seconds} s`)
    await server.post('/files/write', { path: 'a', content: 'b' }, { token })
    assert.equal(await balance(token), left)
  })

  test('orphans of a command cost too, and end with the credit', async () => {
    const { token } = await newTenant()
    const loop = 'while :; do date +%s%N > /workspace/tick; sleep 0.05; done'
    await run(token, `sleep 1; setsid sh -c "${loop}" >/dev/null 2>&1 </dev/null &`)
    const tick = async () => (await server.post('/files/read', { path: 'tick' }, { token })).body.content
    // Each request keeps the sandbox alive.
    await until(
      async () => [await balance(token), await tick()],
      ([left]) => left <= 0,
      60_000,
    )
    await until(
      async () => [await tick(), await new Promise((resolve) => setTimeout(resolve, 300)), await tick()],
      ([first, , second]) => first === second,
    )
    await assertBooksAreRight()
  })

  test('code that is ended for lack of credit is answered with the reason and its output', async () => {
    const { token } = await newTenant()
    const { status, body } = await run(token, 'echo first; sleep 30')
    assert.deepEqual([status, body.code, body.action, body.status], [402, 'OUT_OF_CREDITS', 'TOP_UP', 'killed'])
    assert.deepEqual([body.result.stdout, body.result.signal], ['first\n', 'SIGTERM'])
  })

  test('an account without credit has its programs ended in order, keeps its files, and works again after a top-up', async () => {
    const { accountId, token } = await newTenant()
    const command =
      'trap "echo ended > /workspace/end; exit 0" TERM; echo begun > /workspace/begin; while :; do sleep 0.1; done'
    await server.post('/process/start', { command, processId: 'work', timeout: 0 }, { token })
    const { body } = await until(
      () => server.post('/process/get', { processId: 'work' }, { token }),
      ({ body }) => body.process.status !== 'running',
    )
    assert.equal(body.process.status, 'completed', 'it was told to end and could')
    assert.equal(body.process.reason, 'out_of_credits')
    for (const path of ['begin', 'end'])
      assert.equal((await server.post('/files/read', { path }, { token })).status, 200, path)

    const refused = await run(token, 'echo no')
    assert.equal(refused.status, 402)
    const { error, requestId, creditsRemaining, ...rest } = refused.body
    assert.match(error, /no credit left/)
    assert.ok(requestId)
    assert.ok(creditsRemaining >= 0 && creditsRemaining < 0.01)
    assert.deepEqual(rest, {
      code: 'OUT_OF_CREDITS',
      action: 'TOP_UP',
      topupUrl: `${server.url}/topup`,
      agentInstruction:
        'Open topupUrl to see the ways to pay. Programs send POST /topup with {tier} or {amountCents} and X-Session-Token, and let an MPP client answer the payment challenge; POST /api/v1/credits/topup returns a payment link for a user.',
      retryable: false,
    })
    assert.ok(Number(refused.headers.get('x-credits-remaining')) < 0.01)
    assert.equal((await run(token, 'echo no', newSession())).status, 402, 'nor on another sandbox')
    assert.equal((await server.post('/process/start', { command: 'true' }, { token })).status, 402)

    // Longer than the idle time: another account's sandbox, used later, is stopped meanwhile.
    const other = await newTenant()
    await run(other.token, 'true')
    const db = await database()
    const states = () => db.selectFrom('computers').select('state').where('account_id', '=', other.accountId).execute()
    await until(states, (rows) => rows.every(({ state }) => state === 'stopped'))
    assert.equal((await server.post('/files/read', { path: 'end' }, { token })).status, 200)

    await pay(accountId, { tier: 'starter' })
    const { body: again } = await run(token, 'cat /workspace/end')
    assert.equal(again.result.stdout, 'ended\n')
    const events = await db.selectFrom('events').select('type').where('account_id', '=', accountId).execute()
    await db.destroy()
    const types = events.map(({ type }) => type).filter((type) => type.startsWith('account.'))
    assert.ok(types.includes('account.credit_exhausted'), types.join(', '))
  })

  test('a request that was refused for lack of credit works with the same Idempotency-Key after a top-up', async () => {
    const { accountId, token } = await newTenant()
    const options = { token, headers: { 'idempotency-key': newSession() } }
    const body = { code: 'echo paid', language: 'shell' }
    await run(token, 'sleep 30')
    const refused = await server.post('/execute', body, options)
    assert.deepEqual([refused.status, refused.body.code], [402, 'OUT_OF_CREDITS'])
    await pay(accountId, { tier: 'starter' })
    const answer = await server.post('/execute', body, options)
    assert.deepEqual([answer.status, answer.body.result?.stdout], [200, 'paid\n'])
  })

  test('responses warn an account of low credit, and no other account', async () => {
    const { accountId, token } = await newTenant()
    assert.equal((await run(token, 'true')).headers.get('x-credits-remaining'), null)
    await run(token, 'sleep 0.7')
    await until(
      () => server.call('GET', '/v1/usage', undefined, { token }),
      (answer) => answer.headers.has('x-credits-remaining'),
    )
    await pay(accountId, { tier: 'starter' })
    await balance(token)
    assert.equal((await server.call('GET', '/balance', undefined, { token })).headers.get('x-credits-remaining'), null)
  })

  test('an account is warned when its credit becomes low, before a minute is over and before nothing is left', async () => {
    const { accountId, token } = await newTenant()
    const told = () =>
      withDatabase(async (db) => {
        const events = db.selectFrom('events').select(['type', 'data']).where('account_id', '=', accountId)
        const rows = await events.where('type', 'like', 'account.credit_%').orderBy('at').execute()
        return rows.map(({ type, data }) => ({ type, balanceMicros: Number(JSON.parse(data).balanceMicros) }))
      })
    // Half a dollar of two can be spent until then. The charge of the minute would find 0.4.
    await server.post('/process/start', { command: 'sleep 1.6', processId: 'work' }, { token })
    const [warning, ...others] = await until(told, (events) => events.length > 0)
    assert.deepEqual([warning?.type, others], ['account.credit_low', []])
    const { balanceMicros } = warning!
    assert.ok(balanceMicros <= 1_500_000 && balanceMicros > 400_000, `warned at ${balanceMicros}`)
    const { headers, body } = await server.call('GET', '/balance', undefined, { token })
    assert.ok(Number(headers.get('x-credits-remaining')) <= 1.5)
    assert.ok(body.creditsRemaining > 0, 'and goes on')
    await run(token, 'sleep 30')
    const all = await until(told, (events) => events.length > 1)
    assert.deepEqual(
      all.map(({ type }) => type),
      ['account.credit_low', 'account.credit_exhausted'],
    )
  })

  test('a limit of a token ends what that token runs, and refuses only that token', async () => {
    const { accountId, token } = await newTenant()
    await pay(accountId, { tier: 'scale' })
    const db = await database()
    const { id: tokenId } = await db
      .selectFrom('tokens')
      .select('id')
      .where('account_id', '=', accountId)
      .executeTakeFirstOrThrow()
    const other = await createToken(db, accountId, 'other')
    await setSpendingLimit(db, accountId, { tokenId, period: 'month', limitMicros: 0 })
    await db.destroy()
    const { status, body } = await run(token, 'true')
    assert.deepEqual([status, body.code, body.action], [402, 'SPENDING_LIMIT_REACHED', 'RAISE_LIMIT'])
    assert.equal((await run(other, 'true')).status, 200)
  })

  test('a process that a limit ends says so, at once and in the list, and there is an event', async () => {
    const { accountId, token } = await newTenant()
    await pay(accountId, { tier: 'scale' })
    const { token: limited, tokenId } = await newLimitedKey(accountId, 1_000_000)
    const sessionId = newSession()
    const start = { command: 'sleep 60', processId: 'background', sessionId }
    assert.equal((await server.post('/process/start', start, { token: limited })).status, 200)
    const { status, body } = await run(limited, 'echo begun; sleep 60', sessionId)
    assert.deepEqual([status, body.code, body.period], [402, 'SPENDING_LIMIT_REACHED', 'day'])
    assert.ok(Date.parse(body.resetsAt) > Date.now())
    assert.equal(body.result.stdout, 'begun\n')
    const { body: found } = await until(
      () => server.post('/process/get', { processId: 'background', sessionId }, { token }),
      (answer) => answer.body.process.status !== 'running',
    )
    assert.deepEqual([found.process.status, found.process.reason], ['killed', 'spending_limit'])
    const events = await withDatabase((db) =>
      db.selectFrom('events').select(['type', 'data']).where('account_id', '=', accountId).execute(),
    )
    const reached = events.filter(({ type }) => type === 'spending_limit.reached')
    assert.ok(reached.length >= 1 && JSON.parse(reached[0]!.data).keyId === tokenId)
  })

  test('usage is reported by day, computer, key and label', async () => {
    const { token } = await newTenant()
    const sessionId = newSession()
    await run(token, 'sleep 0.2', sessionId)
    const { body } = await until(
      () => server.call('GET', '/v1/usage?days=1', undefined, { token }),
      ({ body }) => body.totals.length > 0,
      30_000,
    )
    assert.equal(body.billed, true)
    const [line] = body.totals
    // Usage counts from when the program is known to run.
    assert.ok(line.quantity >= 0.15 && line.quantity < 1.9 && line.unit === 's', JSON.stringify(line))
    assert.ok(Math.abs(line.amountMicros - line.quantity * 1_000_000) < 1)
    assert.equal(body.byDay[0].of, new Date().toISOString().slice(0, 10))
    assert.equal(body.byKey[0].name, 'laptop')
    assert.equal(body.byLabel[0].of, sessionId)
    assert.equal(body.byComputer[0].name, sessionId)
    assert.equal(body.byLabel[0].name, undefined)
    for (const days of ['0', '-1', 'x', '1.5', '9999'])
      assert.equal((await server.call('GET', `/v1/usage?days=${days}`, undefined, { token })).status, 400, days)
  })

  test('usage names the default sandbox, which has no name, by an empty string', async () => {
    const { token } = await newTenant()
    await run(token, 'sleep 0.2')
    const { body } = await until(
      () => server.call('GET', '/v1/usage', undefined, { token }),
      ({ body }) => body.totals.length > 0,
      30_000,
    )
    assert.equal(body.byComputer[0].name, '')
    assert.deepEqual([body.byLabel[0].of, body.byLabel[0].name], ['', ''])
  })

  test('after a kill the next server charges what ran meanwhile once, and the ledger is right while it runs', async () => {
    const { accountId, token } = await newTenant()
    await pay(accountId, { tier: 'scale' })
    const began = Date.now()
    await server.post('/process/start', { command: 'sleep 600', processId: 'long', timeout: 0 }, { token })
    const started = Date.now()
    for (let death = 0; death < 2; death++) {
      await server.stop('SIGKILL')
      server = await TestApp.start({ env })
    }
    const checked = await verify()
    assert.deepEqual([checked.exitCode, checked.stdout.startsWith('The ledger is correct')], [0, true], checked.stdout)
    const minSeconds = (Date.now() - started) / 1000
    await server.post('/process/kill', { processId: 'long', signal: 'SIGKILL' }, { token })
    const maxSeconds = (Date.now() - began) / 1000
    const spent = 122 - (await balance(token))
    assert.ok(spent >= minSeconds - 0.1 && spent <= maxSeconds, `$${spent} for ${minSeconds} to ${maxSeconds} s`)
  })
})

describe('the owner of the machine', { timeout: 300_000 }, () => {
  const use = async (server: TestApp) => {
    const before = (await server.call('GET', '/balance')).body.creditsRemaining
    const { status } = await server.post('/execute', { code: 'sleep 0.5', language: 'shell', sessionId: newSession() })
    await server.stop()
    return { status, before }
  }
  const setCredit = async (micros: number) => {
    const db = await database()
    const owner = await db.selectFrom('accounts').select('id').orderBy('created_at').executeTakeFirstOrThrow()
    const book = { id: `credit:${owner.id}`, kind: 'credit' as const, account_id: owner.id }
    const { post } = await import('../../src/engine/money/ledger/post.ts')
    const { balanceOf } = await import('../../src/engine/money/ledger/balance.ts')
    const difference = micros - (await balanceOf(db, owner.id))
    if (difference !== 0) {
      const house = { id: 'clearing:test', kind: 'clearing' as const, account_id: null }
      const entries = [
        { book, amountMicros: difference },
        { book: house, amountMicros: -difference },
      ]
      await post(db, { key: `test:${Math.random()}`, kind: 'topup', accountId: owner.id, entries }, 0)
    }
    await db.destroy()
  }

  test('is never refused and never charged, even without credit, but sees the costs', async () => {
    await (await TestApp.start({ env })).stop()
    await setCredit(0)
    const server = await TestApp.start({ env })
    const { status, before } = await use(server)
    assert.deepEqual([status, before], [200, 0])
    const again = await TestApp.start({ env })
    const { body } = await again.call('GET', '/v1/usage?days=1')
    assert.equal((await again.call('GET', '/balance')).body.creditsRemaining, 0)
    assert.equal((await again.call('GET', '/balance')).headers.get('x-credits-remaining'), null)
    await again.stop()
    assert.equal(body.billed, false)
    // Half a second at a dollar a second; the timer of a sleep can end it a millisecond early.
    const { amountMicros } = body.totals[0]
    assert.ok(amountMicros >= 498_000, String(amountMicros))
  })

  test('is charged and refused like everybody with CARREL_BILLING=on, and the server still starts', async () => {
    await setCredit(0)
    const billed = { ...env, CARREL_BILLING: 'on' }
    const server = await TestApp.start({ env: billed })
    assert.equal((await use(server)).status, 402)
    await setCredit(3_000_000)
    const again = await TestApp.start({ env: billed })
    const beganMs = performance.now()
    assert.deepEqual(await use(again), { status: 200, before: 3 })
    const seconds = (performance.now() - beganMs) / 1000
    const last = await TestApp.start({ env: billed })
    const left = (await last.call('GET', '/balance')).body.creditsRemaining
    await last.stop()
    assert.ok(left <= 2.55 && left >= 3 - seconds, `$${left} are left after ${seconds} s`)
    await setCredit(5_000_000)
    await assertBooksAreRight()
  })
})

test('a new user gets the first credit of the sign-up, even if the price book changes before it is read', async () => {
  let server = await TestApp.start({ env })
  const token = await signInByMail(server)
  await server.stop()
  server = await TestApp.start({ env: { CARREL_PRICE_BOOK: priceBook({ newAccountMicros: 2_000 }) } })
  try {
    assert.equal((await server.call('GET', '/balance', undefined, { token })).body.creditsRemaining, 2)
  } finally {
    await server.stop()
  }
})

test('an account and its first credit are both written, or neither', async () => {
  const server = await TestApp.start({ env })
  try {
    const address = newAddress()
    const link = new URL(await askForLink(server, address))
    const accept = await withDatabase((db) => refuseRows(db, 'ledger_transactions', 'kind', 'grant'))
    const refused = await server.post(link.pathname, { token: link.searchParams.get('token') }, { token: null })
    await withDatabase(accept)
    assert.equal(refused.status, 500)
    const known = () => withDatabase((db) => db.selectFrom('users').select('id').where('email', '=', address).execute())
    assert.deepEqual(await known(), [])
    const token = await signInByMail(server, address)
    assert.equal((await known()).length, 1)
    assert.equal((await server.call('GET', '/balance', undefined, { token })).body.creditsRemaining, 2)
  } finally {
    await server.stop()
  }
})
