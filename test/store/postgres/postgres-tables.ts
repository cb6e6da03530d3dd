import { sql, type Kysely } from 'kysely'
import type { Database } from '../../../src/db/schema.ts'
import { tablesOf } from '../../support/tables-of.ts'
import { columnText, indexText, type Table } from './table.ts'

/** Returns the tables of a PostgreSQL database by name. */
export async function postgresTables(db: Kysely<Database>): Promise<Map<string, Table>> {
  const tables = new Map<string, Table>()
  for (const name of (await tablesOf(db)).toSorted()) {
    const indexes = await indexesOf(db, name)
    tables.set(name, {
      columns: await columnsOf(db, name),
      primaryKey: indexes.find(({ isPrimary }) => isPrimary)?.columns ?? [],
      foreignKeys: await foreignKeysOf(db, name),
      indexes: indexes
        .filter(({ isPrimary }) => !isPrimary)
        .map(indexText)
        .toSorted(),
    })
  }
  return tables
}

async function columnsOf(db: Kysely<Database>, table: string): Promise<string[]> {
  const { rows } = await sql<{ name: string; type: string; isNullable: boolean }>`
    select attname as name, format_type(atttypid, atttypmod) as type, not attnotnull as "isNullable" from pg_attribute
    where attrelid = ${table}::regclass and attnum > 0 and not attisdropped`.execute(db)
  return rows.map(columnText).toSorted()
}

async function foreignKeysOf(db: Kysely<Database>, table: string): Promise<string[]> {
  const { rows } = await sql<{ from: string; table: string; to: string }>`
    select a.attname as from, c.confrelid::regclass::text as table, b.attname as to
    from pg_constraint c
    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any(c.conkey)
    join pg_attribute b on b.attrelid = c.confrelid and b.attnum = any(c.confkey)
    where c.contype = 'f' and c.conrelid = ${table}::regclass`.execute(db)
  return rows.map(({ from, table, to }) => `${from} ${table}.${to}`).toSorted()
}

async function indexesOf(db: Kysely<Database>, table: string) {
  const { rows } = await sql<{
    name: string | undefined
    columns: string[]
    isUnique: boolean
    isPrimary: boolean
    condition: string | null
  }>`
    select case when exists (select from pg_constraint where conindid = i.indexrelid and contype = 'u') then null
        else i.indexrelid::regclass::text end as name,
      array(select a.attname::text from unnest(i.indkey) with ordinality as k(attnum, place)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum order by place) as columns,
      i.indisunique as "isUnique", i.indisprimary as "isPrimary", pg_get_expr(i.indpred, i.indrelid) as condition
    from pg_index i where i.indrelid = ${table}::regclass`.execute(db)
  return rows.map((row) => ({ ...row, name: row.name ?? undefined }))
}
