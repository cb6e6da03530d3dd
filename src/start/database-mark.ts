import { randomInt } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SettingError } from '../config/settings.ts'

/**
 * Throws a `SettingError` when the database is not the one that the data directory belongs to: it is missing, empty or another
 * one's. A server that took it for its own would remove every computer as one that nobody owns. What belongs together has the
 * same number, in the database's header and in a file beside it.
 */
export function assertOwnDatabase(dataDirectory: string): void {
  const path = join(dataDirectory, 'carrel.db')
  const mark = readMark(dataDirectory)
  const found = lookInto(path)
  if (found === 'unreadable') return
  const isEmpty = found === 'missing' || !found.hasAccounts
  if (isEmpty && (mark !== undefined || holdsAnything(dataDirectory)))
    throw new SettingError(
      `Cannot start: the database "${path}" is ${found === 'missing' ? 'missing' : 'empty'}, and what else is in its folder belongs to one; restore it from a backup, or remove everything with "npm run down -- --delete-data"`,
    )
  if (mark !== undefined && found !== 'missing' && found.mark !== mark)
    throw new SettingError(
      `Cannot start: the database "${path}" is another one than its folder belongs to; put back the right one, or remove "${markFile(dataDirectory)}" to go on with this one`,
    )
}

/** To be called when the database is open and has its accounts. */
export function markDatabase(dataDirectory: string): void {
  if (readMark(dataDirectory) !== undefined) return
  const database = new DatabaseSync(join(dataDirectory, 'carrel.db'), { timeout: busyMs })
  try {
    let mark = markOf(database)
    if (mark === 0) {
      mark = randomInt(1, 2 ** 31 - 1)
      // On the disk before the file is: the other way round, a power cut would leave a file of a mark that no database has.
      database.exec(`PRAGMA synchronous=FULL; PRAGMA user_version=${mark}`)
    }
    writeFileSync(markFile(dataDirectory), `${mark}\n`, { mode: 0o600 })
  } finally {
    database.close()
  }
}

function lookInto(path: string): 'missing' | 'unreadable' | { mark: number; hasAccounts: boolean } {
  if (!existsSync(path)) return 'missing'
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: busyMs })
    const hasTable = database.prepare("select 1 from sqlite_master where name = 'accounts'").get() !== undefined
    const hasAccounts = hasTable && database.prepare('select 1 from accounts limit 1').get() !== undefined
    return { mark: markOf(database), hasAccounts }
  } catch {
    // Opening it for good tells why.
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

/** Of computers; output of processes alone is nothing that a server would remove for want of an owner. */
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
