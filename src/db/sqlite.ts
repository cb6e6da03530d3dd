import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import {
  SqliteAdapter,
  SqliteDialect,
  type Dialect,
  type DialectAdapter,
  type SqliteDatabase,
  type SqliteStatement,
} from 'kysely'

export interface DialectOptions {
  readOnly?: boolean
  /** Called after each statement that is more than a query, so after each commit too. */
  afterWrite?: () => void
  beforeClose?: () => void
}

/**
 * A Kysely dialect over Node's own SQLite, in WAL mode. A commit is not synced by itself (`synchronous=NORMAL`): a
 * power cut can take the last moments, which the reconciliation at start makes good; what it could not is written by
 * `durableTransaction`.
 */
export function sqliteDialect(
  path: string,
  { readOnly = false, afterWrite = () => {}, beforeClose = () => {} }: DialectOptions = {},
): Dialect {
  if (!readOnly && path !== ':memory:') closeToOthers(path)
  const database = new DatabaseSync(path, { readOnly })
  for (const pragma of [
    ...(readOnly ? [] : ['journal_mode=WAL']),
    'synchronous=NORMAL',
    'foreign_keys=ON',
    `busy_timeout=${busyMs}`,
    'cache_size=-16000',
    // What is deleted is overwritten with zeros, or it could be read in the file's free pages. A row costs no more by
    // it, a MiB some 4 ms; FAST would leave just the large contents, which have pages of their own.
    'secure_delete=ON',
  ]) {
    database.exec(`PRAGMA ${pragma}`)
  }
  const close = () => {
    beforeClose()
    database.close()
  }
  // One that only reads at first, and writes after another program did, would fail at once instead of waiting.
  const begin = readOnly ? 'begin' : 'begin immediate'
  return new TransactionalDialect({ database: { close, prepare: statementCache(database, begin, afterWrite) } })
}

/** Kysely's, with what it leaves out: a migration that fails, or whose server is killed, is undone with its tables. */
class TransactionalDialect extends SqliteDialect {
  override createAdapter(): DialectAdapter {
    return new TransactionalAdapter()
  }
}

class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/** Makes the file, where there is none, for its owner alone; the log and its index get the same mode from it. */
function closeToOthers(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
  for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) chmodSync(file, 0o600)
}

/**
 * A second connection to the same file, which reads what is committed, at any time: in WAL mode nobody waits for it.
 */
export class SqliteReader {
  readonly #database: DatabaseSync
  readonly #version: StatementSync
  #writes = 0
  #lastVersion = 0
  #lookedAtMs = -Infinity

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true, timeout: busyMs })
    this.#version = this.#database.prepare('PRAGMA data_version')
    this.#version.setReturnArrays(true)
  }

  /** To be called after each write of this process. */
  noteWrite(): void {
    this.#writes++
  }

  /**
   * Changes with every commit: at once with one of this process, within 20 ms with one of another program. To look for
   * the latter takes a lock on the file, and as long as all else that a request's token costs.
   */
  version(): number {
    const now = performance.now()
    if (now - this.#lookedAtMs >= othersMs) {
      const [version] = this.#version.get() as unknown as [number]
      this.#lastVersion = version
      this.#lookedAtMs = now
    }
    return this.#lastVersion + this.#writes
  }

  /** The first row for some texts. */
  prepare(sql: string): (parameters: readonly string[]) => unknown {
    const statement = this.#database.prepare(sql)
    return (parameters) => statement.get(...parameters)
  }

  close(): void {
    this.#database.close()
  }
}

const busyMs = 5000
const othersMs = 20

/** Queries come again and again, and preparing one takes longer than running it. */
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
      // One that found the disk full has taken its transaction back by itself.
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
