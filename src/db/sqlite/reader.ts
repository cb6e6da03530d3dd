import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Reader } from '../reader.ts'
import { busyMs } from './dialect.ts'

/** A second connection to the same file, which reads committed data at any time: in WAL mode readers block nobody. */
export class SqliteReader implements Reader {
  readonly #database: DatabaseSync
  readonly #version: StatementSync
  #writes = 0
  #lastVersion = 0
  #checkedAtMs = -Infinity

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true, timeout: busyMs })
    this.#version = this.#database.prepare('PRAGMA data_version')
    this.#version.setReturnArrays(true)
  }

  /** Call this after each write of this process. */
  noteWrite(): void {
    this.#writes++
  }

  /**
   * Changes with every commit: at once with one of this process, within 20 ms with one of another program. Detecting
   * the latter takes a lock on the file, and as long as everything else that a request's token costs.
   */
  version(): number {
    const now = performance.now()
    if (now - this.#checkedAtMs >= versionCheckMs) {
      const [version] = this.#version.get() as unknown as [number]
      this.#lastVersion = version
      this.#checkedAtMs = now
    }
    return this.#lastVersion + this.#writes
  }

  /** Prepares a statement. Returns a function that reads its first row for text parameters. */
  prepare(sql: string): (parameters: readonly string[]) => unknown {
    const statement = this.#database.prepare(sql)
    return (parameters) => statement.get(...parameters)
  }

  close(): void {
    this.#database.close()
  }
}

const versionCheckMs = 20
