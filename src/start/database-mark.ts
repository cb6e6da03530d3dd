import { randomInt } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SettingError } from '../config/settings.ts'

/**
 * Throws a `SettingError` when the database does not belong to the data directory: it is missing, empty or that of
 * another directory. A server that used it would remove every computer as an orphan. A database and its directory carry
 * the same number, in the header of the database and in a file beside it.
 */
export function assertOwnDatabase(dataDirectory: string): void {
  const path = join(dataDirectory, 'carrel.db')
  const mark = readMark(dataDirectory)
  const found = inspect(path)
  if (found === 'unreadable') return
  const isEmpty = found === 'missing' || !found.hasAccounts
  if (isEmpty && (mark !== undefined || holdsAnything(dataDirectory)))
    throw new SettingError(
      `Cannot start: the database "${path}" is ${found === 'missing' ? 'missing' : 'empty'}, but its folder holds the data of one; restore it from a backup, or remove everything with "npm run down -- --delete-data"`,
    )
  if (mark !== undefined && found !== 'missing' && found.mark !== mark)
    throw new SettingError(
      `Cannot start: the database "${path}" does not belong to its folder; put the right one back, or remove "${markFile(dataDirectory)}" to continue with this one`,
    )
}

/** Marks the database and its directory as belonging together. The database has to be open and to have its accounts. */
export function markDatabase(dataDirectory: string): void {
  if (readMark(dataDirectory) !== undefined) return
  const database = new DatabaseSync(join(dataDirectory, 'carrel.db'), { timeout: busyMs })
  try {
    let mark = markOf(database)
    if (mark === 0) {
      mark = randomInt(1, 2 ** 31 - 1)
      // The database is synced before the file is written: otherwise a power cut could leave a file with a mark that no
      // database has.
      database.exec(`PRAGMA synchronous=FULL; PRAGMA user_version=${mark}`)
    }
    writeFileSync(markFile(dataDirectory), `${mark}\n`, { mode: 0o600 })
  } finally {
    database.close()
  }
}

function inspect(path: string): 'missing' | 'unreadable' | { mark: number; hasAccounts: boolean } {
  if (!existsSync(path)) return 'missing'
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: busyMs })
    const hasTable = database.prepare("select 1 from sqlite_master where name = 'accounts'").get() !== undefined
    const hasAccounts = hasTable && database.prepare('select 1 from accounts limit 1').get() !== undefined
    return { mark: markOf(database), hasAccounts }
  } catch {
    // Opening the database later reports the reason.
    return 'unreadable'
  } finally {
    database?.close()
  }
}

function markOf(database: DatabaseSync): number {
  return Number((database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version)
}

function readMark(dataDirectory: string): number | undefined {
  try {
    return Number(readFileSync(markFile(dataDirectory), 'latin1')) || undefined
  } catch {
    return undefined
  }
}

/**
 * Returns whether the directory holds computers. Output of processes does not count: a server removes none of it as
 * orphaned.
 */
function holdsAnything(dataDirectory: string): boolean {
  return ['computers', 'pool/computers', 'pool/snapshots'].some((folder) => {
    try {
      return readdirSync(join(dataDirectory, folder)).length > 0
    } catch {
      return false
    }
  })
}

function markFile(dataDirectory: string): string {
  return join(dataDirectory, 'database.mark')
}

const busyMs = 5000
