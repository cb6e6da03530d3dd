import { SettingError, type Settings } from '../config/settings.ts'
import { databaseLocation } from '../config/database-location.ts'
import { inspectDatabase, type Inspected } from '../db/inspect.ts'
import { withoutPassword } from '../db/open.ts'
import { holdsComputers, namesDatabase, readMark, readNodeFile } from './node-file.ts'

/**
 * Returns what is known of the database, and changes nothing. Throws a `SettingError` when the database does not belong
 * to the data directory: it is missing, empty or that of other servers. A server that used it would remove every
 * computer as an orphan. A database has an id, and each data directory of its servers has that id too. Throws as
 * `inspectDatabase` does. `action` says in the message what cannot be done.
 */
export async function assertOwnDatabase(
  settings: Pick<Settings, 'databaseUrl' | 'dataDirectory'>,
  action = 'start',
): Promise<Inspected | 'missing'> {
  const { dataDirectory } = settings
  const location = databaseLocation(settings)
  const found = await inspectDatabase(location)
  const belongs = readNodeFile(dataDirectory) !== undefined || readMark(dataDirectory) !== undefined
  const isEmpty = found === 'missing' || (!found.hasAccounts && !isDeployment(dataDirectory, found))
  if (isEmpty && (belongs || holdsComputers(dataDirectory)))
    throw new SettingError(
      `Cannot ${action}: the database "${withoutPassword(location)}" is ${found === 'missing' ? 'missing' : 'empty'}, but "${dataDirectory}" holds the data of one; restore it from a backup${action === 'start' ? ', or remove everything with "npm run down -- --delete-data"' : ''}`,
    )
  if (found === 'missing' || !belongs || isDeployment(dataDirectory, found)) return found
  throw new SettingError(
    `Cannot ${action}: the database "${withoutPassword(location)}" does not belong to "${dataDirectory}"; put the right one back, set CARREL_DATABASE_URL to it, or set CARREL_DATA to another directory`,
  )
}

/** Returns whether the directory names this database: by its id, or as an earlier version did. */
function isDeployment(dataDirectory: string, { deploymentId, mark }: Inspected): boolean {
  // A backup of an earlier version has no id yet, also where the directory has one.
  if (deploymentId === undefined) return mark !== undefined && readMark(dataDirectory) === mark
  const known = readNodeFile(dataDirectory)
  return known ? namesDatabase(known, deploymentId) : mark !== undefined && readMark(dataDirectory) === mark
}
