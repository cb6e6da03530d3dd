import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { SqliteDialect, type Dialect, type SqliteDatabase, type SqliteStatement } from 'kysely'

/**
 * A Kysely dialect over Node's own SQLite, in WAL mode. A commit is not synced by itself (`synchronous=NORMAL`): a
 * power cut can take the last moments, which the reconciliation at start makes good; what it could not is written by `durableTransaction`.
 */
export function sqliteDialect(path: string, { readOnly = false }: { readOnly?: boolean } = {}): Dialect {
  const database = new DatabaseSync(path, { readOnly })
  for (const pragma of [
    ...(readOnly ? [] : ['journal_mode=WAL']),
    'synchronous=NORMAL',
    'foreign_keys=ON',
    'busy_timeout=5000',
    'cache_size=-16000',
  ]) {
    database.exec(`PRAGMA ${pragma}`)
  }
  return new SqliteDialect({ database: { close: () => database.close(), prepare: statementCache(database) } })
}

/** Queries come again and again, and preparing one takes longer than running it. */
function statementCache(database: DatabaseSync): SqliteDatabase['prepare'] {
  const statements = new Map<string, SqliteStatement>()
  return (sql) => {
    const cached = statements.get(sql)
    if (cached) return cached
    const statement = database.prepare(sql)
    const prepared: SqliteStatement = {
      reader: statement.columns().length > 0,
      all: (values) => statement.all(...(values as SQLInputValue[])),
      run: (values) => statement.run(...(values as SQLInputValue[])),
      iterate: (values) => statement.iterate(...(values as SQLInputValue[])),
    }
    if (statements.size >= maxStatements) statements.delete(statements.keys().next().value!)
    statements.set(sql, prepared)
    return prepared
  }
}

const maxStatements = 256
