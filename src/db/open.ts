import { Kysely, Migrator, type Dialect, type Migration } from 'kysely'
import * as first from './migrations/0001-first.ts'
import * as ledger from './migrations/0002-ledger.ts'
import * as identity from './migrations/0003-identity.ts'
import * as payments from './migrations/0004-payments.ts'
import * as machinePayments from './migrations/0005-machine-payments.ts'
import * as settingsAndDeletion from './migrations/0006-settings-and-deletion.ts'
import * as workspaces from './migrations/0007-workspaces.ts'
import * as refreshedSessions from './migrations/0008-refreshed-sessions.ts'
import * as workspaceDeletion from './migrations/0009-workspace-deletion.ts'
import * as outputRetention from './migrations/0010-kept-output.ts'
import * as mailAndKeys from './migrations/0011-mail-and-keys.ts'
import * as usageTotals from './migrations/0013-usage-totals.ts'
import * as computeMarks from './migrations/0014-compute-marks.ts'
import * as storedResponses from './migrations/0015-kept-answers.ts'
import * as invitationNetworks from './migrations/0016-invitation-networks.ts'
import * as siblingTokens from './migrations/0017-sibling-tokens.ts'
import * as computerLifecycle from './migrations/0018-computer-lifecycle.ts'
import * as noMagicValues from './migrations/0019-no-magic-values.ts'
import { setWorkerReader } from './read-in-worker.ts'
import { WorkerReader } from './worker-reader.ts'
import type { Database } from './schema.ts'
import { setReader } from './reader.ts'
import { sqliteDialect, SqliteReader, type DialectOptions } from './sqlite.ts'

/** Run in the order of their names; a released migration is never changed. */
const migrations: Record<string, Migration> = {
  '0001-first': first,
  '0002-ledger': ledger,
  '0003-identity': identity,
  '0004-payments': payments,
  '0005-machine-payments': machinePayments,
  '0006-settings-and-deletion': settingsAndDeletion,
  '0007-workspaces': workspaces,
  '0008-refreshed-sessions': refreshedSessions,
  '0009-workspace-deletion': workspaceDeletion,
  '0010-kept-output': outputRetention,
  '0011-mail-and-keys': mailAndKeys,
  '0013-usage-totals': usageTotals,
  '0014-compute-marks': computeMarks,
  '0015-kept-answers': storedResponses,
  '0016-invitation-networks': invitationNetworks,
  '0017-sibling-tokens': siblingTokens,
  '0018-computer-lifecycle': computerLifecycle,
  '0019-no-magic-values': noMagicValues,
}

/**
 * Opens the embedded database and runs its missing migrations. Throws when it has migrations that this program does not
 * know.
 */
export async function openDatabase(path: string): Promise<Kysely<Database>> {
  let reader: SqliteReader | undefined
  const afterWrite = () => reader?.noteWrite()
  const workerReader = path === ':memory:' ? undefined : new WorkerReader(path)
  const beforeClose = () => {
    reader?.close()
    workerReader?.close()
  }
  const db = new Kysely<Database>({ dialect: openDialect(path, { afterWrite, beforeClose }) })
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error } = await migrator.migrateToLatest()
  if (error) {
    await db.destroy()
    throw new Error(
      `Cannot open the database "${path}": ${error instanceof Error ? error.message : JSON.stringify(error)}`,
      { cause: error },
    )
  }
  // An in-memory database has only its own connection.
  if (workerReader) {
    reader = new SqliteReader(path)
    setReader(db, reader)
    setWorkerReader(db, workerReader)
  }
  return db
}

function openDialect(path: string, options: DialectOptions): Dialect {
  try {
    return sqliteDialect(path, options)
  } catch (cause) {
    throw new Error(`Cannot open the database "${path}": ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
}
