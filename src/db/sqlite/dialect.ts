import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { SqliteDialect, type Dialect, type DialectAdapter, type SqliteDatabase, type SqliteStatement } from 'kysely'
import { LocalAdapter } from './adapter.ts'

export interface DialectOptions {
  readOnly?: boolean
  /** Called after each statement that is not a query, which includes each commit. */
  afterWrite?: () => void
  beforeClose?: () => void
}

/**
 * Returns a Kysely dialect over Node's own SQLite, in WAL mode. A commit is not synced (`synchronous=NORMAL`): a power
 * cut can lose the last moments. The reconciliation at start restores them; a durable transaction writes what it could
 * not restore.
 */
export function sqliteDialect(
  path: string,
  { readOnly = false, afterWrite = () => {}, beforeClose = () => {} }: DialectOptions = {},
): Dialect {
  if (!readOnly && path !== ':memory:') restrictToOwner(path)
  const database = new DatabaseSync(path, { readOnly })
  for (const pragma of [
    ...(readOnly ? [] : ['journal_mode=WAL']),
    'synchronous=NORMAL',
    'foreign_keys=ON',
    `busy_timeout=${busyMs}`,
    'cache_size=-16000',
    // Overwrites deleted data with zeros, which could be read in the file's free pages otherwise. Costs nothing for a row
    // and some 4 ms for a MiB; FAST would leave the large contents, which have pages of their own.
    'secure_delete=ON',
  ]) {
    database.exec(`PRAGMA ${pragma}`)
  }
  const close = () => {
    beforeClose()
    database.close()
  }
  // A transaction that begins by reading, and writes after another program has, would fail at once instead of waiting.
  const begin = readOnly ? 'begin' : 'begin immediate'
  return new LocalDialect({ database: { close, prepare: statementCache(database, begin, afterWrite) } })
}

class LocalDialect extends SqliteDialect {
  override createAdapter(): DialectAdapter {
    return new LocalAdapter()
  }
}

/** Creates the file for its owner alone, or changes its mode; the log and its index inherit the mode. */
function restrictToOwner(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
  for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) chmodSync(file, 0o600)
}

/** How long a statement waits for another program that writes. */
export const busyMs = 5000

/** Caches prepared statements: queries repeat, and preparing one takes longer than running it. */
function statementCache(database: DatabaseSync, begin: string, afterWrite: () => void): SqliteDatabase['prepare'] {
  const statements = new Map<string, SqliteStatement>()
  return (sql) => {
    const cached = statements.get(sql)
    if (cached) return cached
    const statement = database.prepare(sql === 'begin' ? begin : sql)
    const isQuery = /^\s*select\b/i.test(sql)
    const noting = <Result>(result: Result): Result => {
      if (!isQuery) afterWrite()
      return result
    }
    const prepared: SqliteStatement = {
      reader: statement.columns().length > 0,
      all: (values) => noting(statement.all(...(values as SQLInputValue[]))),
      // A statement that found the disk full has rolled its transaction back already.
      run: (values) =>
        sql === 'rollback' && !database.isTransaction
          ? { changes: 0, lastInsertRowid: 0 }
          : noting(statement.run(...(values as SQLInputValue[]))),
      iterate: (values) => statement.iterate(...(values as SQLInputValue[])),
    }
    if (statements.size >= maxStatements) statements.delete(statements.keys().next().value!)
    statements.set(sql, prepared)
    return prepared
  }
}

const maxStatements = 256
