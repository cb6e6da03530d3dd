import { Kysely, type DatabaseConnection, type Dialect, type Driver } from 'kysely'
import { databaseDialect, openDatabase } from '../../src/db/open.ts'
import type { Database } from '../../src/db/schema.ts'
import { Cleanup } from '../support/cleanup.ts'
import { newDatabase } from '../support/test-database.ts'

export class Crash extends Error {}

/**
 * A database whose user dies at a chosen statement, `BEGIN` and `COMMIT` among them: before it was done or after, without
 * an answer. From then on nothing of that user gets through, and what was not committed is gone.
 */
export class MortalDatabase {
  readonly #location: string
  readonly #cleanup: Cleanup
  #db: Kysely<Database> | undefined
  #statementsLeft = Infinity
  #dies: 'before' | 'after' = 'before'
  #dead = false

  private constructor(location: string, cleanup: Cleanup) {
    this.#location = location
    this.#cleanup = cleanup
  }

  static async make(): Promise<MortalDatabase> {
    const cleanup = new Cleanup()
    const location = await newDatabase(cleanup)
    await (await openDatabase(location)).destroy()
    return new MortalDatabase(location, cleanup)
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

  /** Another user takes over from one who died. */
  async revive(): Promise<void> {
    this.#statementsLeft = Infinity
    if (!this.#dead) return
    this.#dead = false
    await this.#close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
    await this.#cleanup.run()
  }

  async #close(): Promise<void> {
    await this.#db?.destroy()
    this.#db = undefined
  }

  #dialect(): Dialect {
    const dialect = databaseDialect(this.#location, { readOnly: false })
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
