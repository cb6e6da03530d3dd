import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from 'pg'
import { signInByMail } from '../../identity/outbox.ts'
import { callEveryRoute } from '../../support/call-every-route.ts'
import { serverDatabase } from '../../support/server-database.ts'
import { until } from '../../support/server.ts'
import { TestApp } from '../../support/test-app.ts'
import { recordStatements, type Statements } from './recorded-statements.ts'

/** A step of a plan, as PostgreSQL describes it. */
interface Step {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Index Cond'?: string
  Plans?: Step[]
}

/** Those that Kysely asks about the schema when a database is opened. */
const ofMigrations = /kysely_migration|pg_catalog|"pg_/

test('the queries of requests and sweeps use an index, and never read a whole table', async (t) => {
  const recorded = recordStatements()
  const app = await TestApp.start({
    env: {
      CARREL_PLAY_MONEY: 'on',
      CARREL_BILLING: 'on',
      CARREL_SWEEP_INTERVAL_MS: '200',
      CARREL_SIGN_INS_PER_MINUTE: '0',
    },
  })
  t.after(() => app.stop())
  // A start may read everything, once.
  recorded.clear()
  await callEveryRoute(app, await app.newAccount())
  await callEveryRoute(app, await signInByMail(app))
  await until(
    () => [...recorded.keys()],
    (texts) => texts.some((text) => text.includes('"spending_limits" as "l"')),
  )
  const asked = [...recorded].filter(
    ([text]) => /^\s*(select|insert|update|delete|with)/i.test(text) && !ofMigrations.test(text),
  )
  assert.ok(asked.length > 80, `${asked.length} statements`)
  const slow = await slowOnes(new Map(asked))
  assert.deepEqual(slow, [], slow.join('\n'))
})

/** Returns the statements with a step that reads a whole table or index. */
async function slowOnes(statements: Statements): Promise<string[]> {
  const client = new Client({ connectionString: await serverDatabase() })
  await client.connect()
  try {
    // As the server does it: a table without rows would be read from its beginning to its end, otherwise.
    await client.query('set enable_seqscan = off')
    const slow: string[] = []
    for (const [text, values] of statements) {
      const { rows } = await client.query<{ 'QUERY PLAN': { Plan: Step }[] }>(`explain (format json) ${text}`, [
        ...values,
      ])
      const bad = stepsOf(rows[0]!['QUERY PLAN'][0]!.Plan).filter(readsAll)
      if (bad.length > 0) slow.push(`${bad.map(nameOf).join('; ')}\n  ${text}`)
    }
    return slow
  } finally {
    await client.end()
  }
}

function stepsOf(step: Step): Step[] {
  return [step, ...(step.Plans ?? []).flatMap(stepsOf)]
}

function readsAll({ 'Node Type': type, 'Index Cond': condition }: Step): boolean {
  return type === 'Seq Scan' || (/^(?:Index|Index Only|Bitmap Index) Scan$/.test(type) && condition === undefined)
}

function nameOf(step: Step): string {
  return `${step['Node Type']} on ${step['Index Name'] ?? step['Relation Name']}`
}
