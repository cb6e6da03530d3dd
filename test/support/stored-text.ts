import { existsSync, readFileSync } from 'node:fs'
import { tablesOf } from './tables-of.ts'
import { serverDatabase } from './server-database.ts'
import { runsOnPostgres } from './test-database.ts'
import { withDatabase } from './with-database.ts'

/**
 * Returns everything that the database of the servers holds, as text: its rows and, with SQLite, the bytes of its files,
 * in which deleted rows may be left.
 */
export async function storedText(): Promise<string> {
  const rows = await withDatabase(async (db) => {
    const texts: string[] = []
    for (const table of await tablesOf(db)) texts.push(JSON.stringify(await db.selectFrom(table).selectAll().execute()))
    return texts.join('\n')
  })
  if (runsOnPostgres) return rows
  const path = await serverDatabase()
  const files = [path, `${path}-wal`].filter((file) => existsSync(file))
  return [rows, ...files.map((file) => readFileSync(file, 'latin1'))].join('\n')
}
