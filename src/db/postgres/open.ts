import { Kysely, PostgresDialect, type Dialect, type DialectAdapter, type PostgresDialectConfig } from 'kysely'
import { limits } from '../../config/limits.ts'
import { setWatch } from '../database-watch.ts'
import { FairReader } from '../fair-reader.ts'
import { migrate } from '../migrations.ts'
import { setFairReader } from '../read-many.ts'
import { setReader } from '../reader.ts'
import type { Database } from '../schema.ts'
import { SharedAdapter } from './adapter.ts'
import { assertSuitable } from './assert-suitable.ts'
import { BulkReader } from './bulk-reader.ts'
import { ColumnTypesPlugin } from './column-types.ts'
import { isConflict, codeOf } from './failures.ts'
import { Pool, type PoolOptions } from './pool.ts'
import { PostgresReader } from './reader.ts'
import { Watch } from './watch.ts'

/** Opens a database by its URL, and runs its missing migrations. Throws for one that Carrel cannot use. */
export async function openPostgres(url: string): Promise<Kysely<Database>> {
  await prepare(url)
  const pool = new Pool(url, { maxConnections: limits.databaseConnections })
  const urgentPool = new Pool(url, { maxConnections: 1 })
  const bulkReader = new BulkReader(url)
  const fairReader = new FairReader(bulkReader)
  const watch = new Watch(url)
  watch.onChange((_, { isSilent }) => {
    pool.isSilent = isSilent
    urgentPool.isSilent = isSilent
    bulkReader.isSilent = isSilent
  })
  const urgent = new Kysely<Database>({ dialect: new SharedDialect({ pool: urgentPool }) })
  const close = async () => {
    watch.close()
    fairReader.close()
    await urgent.destroy()
  }
  const db = new Kysely<Database>({ dialect: new SharedDialect({ pool: closing(pool, close) }, urgent) })
  setReader(db, new PostgresReader(pool))
  setFairReader(db, fairReader)
  setWatch(db, watch)
  return db
}

/** Returns a dialect over a few connections. */
export function postgresDialect(url: string, options: Omit<PoolOptions, 'maxConnections'>): Dialect {
  return new SharedDialect({ pool: new Pool(url, { ...options, maxConnections: 2 }) })
}

class SharedDialect extends PostgresDialect {
  readonly #urgent: Kysely<Database> | undefined

  constructor(config: PostgresDialectConfig, urgent?: Kysely<Database>) {
    super(config)
    this.#urgent = urgent
  }

  override createAdapter(): DialectAdapter {
    return new SharedAdapter(this.#urgent)
  }
}

/** Checks the database and migrates it, over a connection of its own: migrations may take long. */
async function prepare(url: string): Promise<void> {
  const pool = new Pool(url, { maxConnections: 2, statementMs: 0 })
  const db = new Kysely<Database>({ dialect: new SharedDialect({ pool }), plugins: [new ColumnTypesPlugin()] })
  try {
    await assertSuitable(db)
    await migrateBesideOthers(db)
  } finally {
    await db.destroy()
  }
}

/** Servers that start at once on a new database create the table of migrations at once, and one of them fails to. */
async function migrateBesideOthers(db: Kysely<Database>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await migrate(db)
    } catch (error) {
      const isRace = isConflict(error) || codeOf(error) === duplicateTable
      if (!isRace || attempt >= maxAttempts) throw error
    }
  }
}

const duplicateTable = '42P07'
const maxAttempts = 5

/** Returns the pool, which closes something else when it ends. */
function closing(pool: Pool, close: () => Promise<void>) {
  return {
    connect: () => pool.connect(),
    end: async () => {
      await close()
      await pool.end()
    },
  }
}
