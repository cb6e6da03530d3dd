import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newSession, until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'
import { assertBooksAreRight, database, dearEnvironment, newTenant, pay } from './tenants.ts'

const sandboxes = 12
const creditSeconds = 20
/** Sweeps as seldom as by default: the end of credit has to be found without them. */
const env = { ...dearEnvironment, CARREL_SWEEP_INTERVAL_MS: '5000', CARREL_IDLE_TIMEOUT_S: '600' }
/** For programs that ignore the signal to end; all sandboxes of an account share it. */
const graceSeconds = 5
/** For each sandbox, on a busy machine: until it gets the signal, and until its usage is known. */
const delaySeconds = 0.25 * sandboxes

describe('an account that starts many sandboxes on its last cents', { timeout: 300_000 }, () => {
  let server: TestApp
  const start = async () => {
    server = await TestApp.start({ env })
  }
  before(start)
  after(() => server.stop())
  /** Charges all usage. */
  const restart = async () => {
    await server.stop()
    await start()
  }

  const newPayer = async () => {
    const tenant = await newTenant()
    await pay(tenant.accountId, { amountCents: (creditSeconds - 2) * 100 })
    return tenant
  }
  /** Returns an account's ledger balances in seconds. */
  const booksOf = async (accountId: string) => {
    const db = await database()
    const read = async () => {
      const sum = async (kind: 'credit' | 'write_off') => {
        const row = await db
          .selectFrom('ledger_entries')
          .innerJoin('ledger_transactions', 'ledger_transactions.id', 'ledger_entries.transaction_id')
          .innerJoin('ledger_books', 'ledger_books.id', 'ledger_entries.book_id')
          .select(({ fn }) => fn.sum<number>('ledger_entries.amount_micros').as('sum'))
          .where('ledger_transactions.account_id', '=', accountId)
          .where('ledger_books.kind', '=', kind)
          .executeTakeFirst()
        return Number(row?.sum ?? 0) / 1_000_000
      }
      return { left: await sum('credit'), writtenOff: -(await sum('write_off')) }
    }
    try {
      return await read()
    } finally {
      await db.destroy()
    }
  }

  for (const [what, code, bound] of [
    ['end on the signal', 'sleep 60', delaySeconds],
    ['ignore the signal', 'trap "" TERM; while :; do sleep 0.1; done', graceSeconds + delaySeconds],
  ] as const)
    test(`pays for all but a little when its programs ${what}, and each answer says why`, async () => {
      const { accountId, token } = await newPayer()
      const answers = await Promise.all(
        Array.from({ length: sandboxes }, () =>
          server.post('/execute', { code, language: 'shell', sessionId: newSession() }, { token }),
        ),
      )
      for (const { status, body } of answers)
        assert.deepEqual([status, body.code, body.action], [402, 'OUT_OF_CREDITS', 'TOP_UP'], JSON.stringify(body))
      assert.ok(answers.some(({ body }) => body.status === 'killed'))
      await restart()
      const { left, writtenOff } = await booksOf(accountId)
      assert.equal(left, 0)
      assert.ok(writtenOff <= bound, `${writtenOff} s were written off`)
      await assertBooksAreRight()
    })

  test('pays for all but a little of its orphans', async () => {
    const { accountId, token } = await newPayer()
    const loop = 'trap : TERM; while :; do date +%s%N > /workspace/tick; sleep 0.1; done'
    const code = `setsid sh -c "${loop}" >/dev/null 2>&1 </dev/null &`
    const sessions = Array.from({ length: sandboxes }, newSession)
    const started = await Promise.all(
      sessions.map((sessionId) => server.post('/execute', { code, language: 'shell', sessionId }, { token })),
    )
    const ticks = () =>
      Promise.all(
        sessions
          .filter((_, index) => started[index]!.status === 200)
          .map(
            async (sessionId) =>
              (await server.post('/files/read', { path: 'tick', sessionId }, { token })).body.content,
          ),
      )
    await until(
      async () => [await ticks(), await new Promise((resolve) => setTimeout(resolve, 300)), await ticks()] as const,
      ([before, , now]) => before.length > 0 && String(before) === String(now),
      60_000,
    )
    await restart()
    const ended = await booksOf(accountId)
    assert.ok(ended.writtenOff <= graceSeconds + delaySeconds, `${ended.writtenOff} s were written off`)
    await assertBooksAreRight()
  })

  test('after a kill the next server ends unpaid work without waiting for a sweep', async () => {
    const { token } = await newTenant()
    await server.post('/process/start', { command: 'sleep 600', processId: 'long', timeout: 0 }, { token })
    await server.stop('SIGKILL')
    server = await TestApp.start({ env: { ...env, CARREL_SWEEP_INTERVAL_MS: '120000' } })
    await until(
      () => server.post('/process/get', { processId: 'long' }, { token }),
      ({ body }) => body.process.status !== 'running',
      60_000,
    )
    await restart()
  })
})
