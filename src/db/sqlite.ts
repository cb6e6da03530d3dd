import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { SqliteDialect, type Dialect } from 'kysely'

/**
 * A Kysely dialect over Node's own SQLite, in WAL mode. A commit is not synced by itself (`synchronous=NORMAL`): a
 * power cut can take the last moments, which the reconciliation at start makes good; money has a connection of its own.
 */
export function sqliteDialect(path: string): Dialect {
  const database = new DatabaseSync(path)
  for (const pragma of [
    'journal_mode=WAL',
    'synchronous=NORMAL',
    'foreign_keys=ON',
    'busy_timeout=5000',
    'cache_size=-16000',
  ]) {
    database.exec(`PRAGMA ${pragma}`)
  }
  return new SqliteDialect({
    database: {
      close: () => database.close(),
      prepare(sql) {
        const statement = database.prepare(sql)
        return {
          reader: statement.columns().length > 0,
          all: (values) => statement.all(...(values as SQLInputValue[])),
          run: (values) => statement.run(...(values as SQLInputValue[])),
          iterate: (values) => statement.iterate(...(values as SQLInputValue[])) as IterableIterator<unknown>,
        }
      },
    },
  })
}
