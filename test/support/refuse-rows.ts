import { sql, type Kysely } from 'kysely'
import type { Database } from '../../src/db/schema.ts'
import { runsOnPostgres } from './test-database.ts'

/**
 * Makes a database refuse new rows in which a column of a table has a value. Returns a function that makes the database
 * accept such rows again.
 */
export async function refuseRows(
  db: Kysely<Database>,
  table: keyof Database,
  column: string,
  value: string,
): Promise<(db: Kysely<Database>) => Promise<unknown>> {
  const [where, what] = [sql.table(table), sql.lit(value)]
  if (runsOnPostgres) {
    await sql`alter table ${where} add constraint refused check (${sql.ref(column)} <> ${what}) not valid`.execute(db)
    return (db) => sql`alter table ${where} drop constraint refused`.execute(db)
  }
  await sql`create trigger refused before insert on ${where} when new.${sql.ref(column)} = ${what}
    begin select raise(abort, 'refused'); end`.execute(db)
  return (db) => sql`drop trigger refused`.execute(db)
}
