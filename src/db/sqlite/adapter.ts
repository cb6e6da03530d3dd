import { SqliteAdapter, sql, type Kysely, type Transaction } from 'kysely'
import type { Database } from '../schema.ts'
import type { DatabaseAdapter, TransactionOptions } from '../transaction.ts'
import { truncateWal } from './truncate-wal.ts'

export class LocalAdapter extends SqliteAdapter implements DatabaseAdapter {
  readonly repetitions = 0

  /** Migrations run in a transaction: one that fails, or whose server is killed, is undone with its tables. */
  override get supportsTransactionalDdl(): boolean {
    return true
  }

  transaction<T>(
    db: Kysely<Database>,
    { kind }: TransactionOptions,
    work: (transaction: Transaction<Database>) => Promise<T>,
  ): Promise<T> {
    if (kind !== 'durable') return db.transaction().execute(work)
    return db.connection().execute(async (connection) => {
      // The pragma cannot change within a transaction; nothing else uses the connection meanwhile.
      await sql`PRAGMA synchronous=FULL`.execute(connection)
      try {
        return await connection.transaction().execute(work)
      } finally {
        await sql`PRAGMA synchronous=NORMAL`.execute(connection)
      }
    })
  }

  eraseDeleted(db: Kysely<Database>): Promise<boolean> {
    return truncateWal(db)
  }
}
