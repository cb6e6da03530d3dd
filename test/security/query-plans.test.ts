import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { CompiledQuery } from 'kysely'
import { signInByMail } from '../identity/outbox.ts'
import { callEveryRoute } from '../support/call-every-route.ts'
import { TestServer, until } from '../support/server.ts'
import { withDatabase } from '../support/with-database.ts'

/** Tables with many rows for each account: the main thread must not read all rows of an account. */
const ofManyRows = new Set(['usage_intervals', 'ledger_transactions', 'ledger_entries', 'events'])

describe('the queries of the main thread', { timeout: 300_000 }, () => {
  let server: TestServer
  const folder = mkdtempSync(join(tmpdir(), 'carrel-plans-'))
  const file = join(folder, 'statements')
  before(async () => {
    server = await TestServer.start({
      program: fileURLToPath(new URL('fixtures/recording-server.ts', import.meta.url)),
      env: {
        STATEMENTS_FILE: file,
        CARREL_PLAY_MONEY: 'on',
        CARREL_BILLING: 'on',
        CARREL_SWEEP_INTERVAL_MS: '200',
        CARREL_SIGN_INS_PER_MINUTE: '0',
      },
    })
  })
  after(async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  const statements = () =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as string)

  test('use an index on every route, and never read a whole table or all rows of an account', async () => {
    await callEveryRoute(server, await server.newAccount())
    await callEveryRoute(server, await signInByMail(server))
    await until(statements, (all) => all.some((sql) => sql.includes('"spending_limits" as "l"')))
    const asked = statements().filter((sql) => /^\s*(select|insert|update|delete|with)/i.test(sql))
    assert.ok(asked.length > 80, `${asked.length} statements`)
    const found = await withDatabase(async (db) => {
      const slow: string[] = []
      for (const sql of asked) {
        const { rows } = await db.executeQuery<{ detail: string }>(CompiledQuery.raw(`explain query plan ${sql}`))
        const bad = rows.map(({ detail }) => detail).filter((detail) => isSlow(detail, sql))
        if (bad.length > 0) slow.push(`${bad.join('; ')}\n  ${sql}`)
      }
      return slow
    })
    assert.deepEqual(found, [], found.join('\n'))
  })
})

/** Whether a step reads all rows of a table, or all rows of an account in a table with many. */
function isSlow(detail: string, sql: string): boolean {
  const [, how, name] = /^(SCAN|SEARCH) (\w+)/.exec(detail) ?? []
  if (!how || !name) return false
  const [, table = name] = new RegExp(`"(\\w+)" as "${name}"`).exec(sql) ?? []
  const isTable =
    new RegExp(`"?\\b${table}\\b"?`).test(sql) && !new RegExp(`"${table}" as \\(|with "${table}"`).test(sql)
  if (how === 'SCAN') return isTable
  return ofManyRows.has(table) && /\((account_id|kind|computer_id)=\?\)$/.test(detail)
}
