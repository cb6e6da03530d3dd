import { Kysely } from 'kysely'
import { FairReader } from '../fair-reader.ts'
import { migrate } from '../migrations.ts'
import { setFairReader } from '../read-many.ts'
import { setReader } from '../reader.ts'
import type { Database } from '../schema.ts'
import { sqliteDialect } from './dialect.ts'
import { SqliteReader } from './reader.ts'
import { ReaderThread } from './reader-thread.ts'

/** Opens a file, or `:memory:`, and runs its missing migrations. */
export async function openSqlite(path: string): Promise<Kysely<Database>> {
  let reader: SqliteReader | undefined
  let fairReader: FairReader | undefined
  const dialect = sqliteDialect(path, {
    afterWrite: () => reader?.noteWrite(),
    beforeClose: () => {
      reader?.close()
      fairReader?.close()
    },
  })
  const db = new Kysely<Database>({ dialect })
  try {
    await migrate(db)
  } catch (error) {
    await db.destroy()
    throw error
  }
  // An in-memory database has only its own connection.
  if (path !== ':memory:') {
    setReader(db, (reader = new SqliteReader(path)))
    setFairReader(db, (fairReader = new FairReader(new ReaderThread(path))))
  }
  return db
}
