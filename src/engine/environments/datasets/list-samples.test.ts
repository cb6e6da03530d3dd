import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CompiledQuery, type Kysely } from 'kysely'
import { openTestDatabase } from '../../../../test/support/test-database.ts'
import type { Database } from '../../../db/schema.ts'
import { countQuery, pageQuery } from './list-samples.ts'

test('a page and its total are read from one index alone, in its order', async (t) => {
  const db = await openTestDatabase(t)
  for (const matching of [{}, { datasetId: 'd' }, { search: 'x' }, { datasetId: 'd', search: 'x' }]) {
    const pages = [7, 999].map((page) => pageQuery(db, matching, 100_000, { page, pageSize: 100 }))
    for (const part of [countQuery(db, matching), ...pages]) {
      const { sql, parameters } = part.compile()
      const steps = await planOf(db, sql, parameters)
      assert.ok(
        steps.some((step) => /COVERING INDEX|Index Only Scan/.test(step)),
        `${sql}\n${steps.join('\n')}`,
      )
      assert.ok(!steps.some((step) => /TEMP B-TREE|Sort|Seq Scan/.test(step)), `${sql}\n${steps.join('\n')}`)
    }
  }
})

async function planOf(db: Kysely<Database>, sql: string, parameters: readonly unknown[]): Promise<string[]> {
  const isSqlite = !sql.includes('$1')
  const explain = isSqlite ? `explain query plan ${sql}` : `explain ${sql}`
  return db.connection().execute(async (connection) => {
    // A table without rows would be read from its beginning to its end, otherwise.
    if (!isSqlite)
      for (const setting of ['enable_seqscan', 'enable_bitmapscan', 'enable_sort'])
        await connection.executeQuery(CompiledQuery.raw(`set ${setting} = off`))
    const { rows } = await connection.executeQuery<Record<string, string>>(CompiledQuery.raw(explain, [...parameters]))
    return rows.map((row) => row['detail'] ?? row['QUERY PLAN'] ?? '')
  })
}
