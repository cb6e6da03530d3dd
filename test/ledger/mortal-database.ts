import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely, type DatabaseConnection, type Dialect, type Driver } from 'kysely'
import { openDatabase } from '../../src/db/open.ts'
import type { Database } from '../../src/db/schema.ts'
import { sqliteDialect } from '../../src/db/sqlite/dialect.ts'

export class Crash extends Error {}

/** In memory where possible: unlike a power cut, the death of a program loses no page that it has written. */
const folder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/**
 * A database on the disk whose user dies at a chosen statement, `BEGIN` and `COMMIT` among them: before it was done or
 * after, without an answer. From then on nothing of that user gets through, and what was not committed is gone.
 */
export class MortalDatabase {
  readonly #folder: string
  #db: Kysely<Database> | undefined
  #statementsLeft = Infinity
  #dies: 'before' | 'after' = 'before'
  #dead = false

  private constructor(folder: string) {
    this.#folder = folder
  }

  static async make(): Promise<MortalDatabase> {
    const mortal = new MortalDatabase(mkdtempSync(join(folder, 'carrel-ledger-')))
    await (await openDatabase(mortal.path)).destroy()
    return mortal
  }

  get path(): string {
    return join(this.#folder, 'carrel.db')
  }

  /** The connection of the current user. */
  get db(): Kysely<Database> {
    this.#db ??= new Kysely<Database>({ dialect: this.#dialect() })
    return this.#db
  }

  /** Lets the user die at a statement, counted from now on; 0 is the next one. */
  dieAt(statement: number, dies: 'before' | 'after'): void {
    this.#statementsLeft = statement
    this.#dies = dies
  }

  /** Another user takes over. */
  async revive(): Promise<void> {
    this.#dead = false
    this.#statementsLeft = Infinity
    await this.#db?.destroy()
    this.#db = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.revive()
    rmSync(this.#folder, { recursive: true })
  }

  #dialect(): Dialect {
    const dialect = sqliteDialect(this.path)
    return {
      createAdapter: () => dialect.createAdapter(),
      createIntrospector: (db) => dialect.createIntrospector(db),
      createQueryCompiler: () => dialect.createQueryCompiler(),
      createDriver: () => this.#driver(dialect.createDriver()),
    }
  }

  #driver(driver: Driver): Driver {
    const originals = new WeakMap<DatabaseConnection, DatabaseConnection>()
    return {
      init: () => driver.init(),
      destroy: () => driver.destroy(),
      beginTransaction: (connection, settings) => driver.beginTransaction(connection, settings),
      commitTransaction: (connection) => driver.commitTransaction(connection),
      rollbackTransaction: (connection) => driver.rollbackTransaction(connection),
      releaseConnection: (connection) => driver.releaseConnection(originals.get(connection)!),
      acquireConnection: async () => {
        const connection = await driver.acquireConnection()
        const mortal: DatabaseConnection = {
          executeQuery: (query) => this.#do(() => connection.executeQuery(query)),
          streamQuery: (query, size) => connection.streamQuery(query, size),
        }
        originals.set(mortal, connection)
        return mortal
      },
    }
  }

  async #do<T>(work: () => Promise<T>): Promise<T> {
    if (this.#dead) throw new Crash()
    const last = this.#statementsLeft-- === 0
    if (!last) return work()
    this.#dead = true
    if (this.#dies === 'after') await work()
    throw new Crash()
  }
}
