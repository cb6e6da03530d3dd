import { sql, type Kysely } from 'kysely'
import type { Database } from '../../../src/db/schema.ts'
import { tablesOf } from '../../support/tables-of.ts'
import { columnText, indexText, type Table } from './table.ts'

/** Returns the tables of a SQLite database by name. */
export async function sqliteTables(db: Kysely<Database>): Promise<Map<string, Table>> {
  const tables = new Map<string, Table>()
  for (const name of (await tablesOf(db)).toSorted()) {
    const columns = await pragma<{ name: string; type: string; notnull: number; pk: number }>(db, 'table_info', name)
    const keys = await pragma<{ from: string; table: string; to: string }>(db, 'foreign_key_list', name)
    tables.set(name, {
      // A column of a primary key may be null in SQLite, unless it is declared otherwise.
      columns: columns
        .map(({ name, type, notnull, pk }) => columnText({ name, type, isNullable: notnull === 0 && pk === 0 }))
        .toSorted(),
      primaryKey: columns
        .filter(({ pk }) => pk > 0)
        .toSorted((a, b) => a.pk - b.pk)
        .map(({ name }) => name),
      foreignKeys: keys.map(({ from, table, to }) => `${from} ${table}.${to}`).toSorted(),
      indexes: await indexesOf(db, name),
    })
  }
  return tables
}

async function indexesOf(db: Kysely<Database>, table: string): Promise<string[]> {
  const texts: string[] = []
  const indexes = await pragma<{ name: string; unique: number; origin: 'c' | 'u' | 'pk' }>(db, 'index_list', table)
  for (const { name, unique, origin } of indexes) {
    if (origin === 'pk') continue
    const columns = await pragma<{ name: string }>(db, 'index_info', name)
    const { rows } = await sql<{ sql: string | null }>`select sql from sqlite_master where name = ${name}`.execute(db)
    const [, condition = null] = /\bwhere\b(.*)$/is.exec(rows[0]?.sql ?? '') ?? []
    texts.push(
      indexText({
        name: origin === 'c' ? name : undefined,
        columns: columns.map(({ name }) => name),
        isUnique: unique === 1,
        condition,
      }),
    )
  }
  return texts.toSorted()
}

async function pragma<Row>(db: Kysely<Database>, name: string, argument: string): Promise<Row[]> {
  const { rows } = await sql<Row>`select * from ${sql.raw(`pragma_${name}`)}(${argument})`.execute(db)
  return rows
}
