import { SettingError, type Settings } from '../config/settings.ts'
import { databaseLocation } from '../config/database-location.ts'
import { inspectDatabase, type Inspected } from '../db/inspect.ts'
import { withoutPassword } from '../db/open.ts'
import { holdsComputers, readMark, readNodeFile } from './node-file.ts'

/**
 * Throws a `SettingError`, and changes nothing, when the database does not belong to the data directory: it is missing,
 * empty or that of other servers. A server that used it would remove every computer as an orphan. A database has an id,
 * and each data directory of its servers has that id too.
 */
export async function assertOwnDatabase(settings: Pick<Settings, 'databaseUrl' | 'dataDirectory'>): Promise<void> {
  const { dataDirectory } = settings
  const location = databaseLocation(settings)
  const found = await inspectDatabase(location)
  if (found === 'unreadable') return
  const belongs = readNodeFile(dataDirectory) !== undefined || readMark(dataDirectory) !== undefined
  const isEmpty = found === 'missing' || (!found.hasAccounts && !isDeployment(dataDirectory, found))
  if (isEmpty && (belongs || holdsComputers(dataDirectory)))
    throw new SettingError(
      `Cannot start: the database "${withoutPassword(location)}" is ${found === 'missing' ? 'missing' : 'empty'}, but "${dataDirectory}" holds the data of one; restore it from a backup, or remove everything with "npm run down -- --delete-data"`,
    )
  if (found === 'missing' || !belongs || isDeployment(dataDirectory, found)) return
  throw new SettingError(
    `Cannot start: the database "${withoutPassword(location)}" does not belong to "${dataDirectory}"; put the right one back, or set CARREL_DATA to another directory`,
  )
}

/** Returns whether the directory names this database: by its id, or as an earlier version did. */
function isDeployment(dataDirectory: string, { deploymentId, mark }: Inspected): boolean {
  // A backup of an earlier version has no id yet, also where the directory has one.
  if (deploymentId === undefined) return mark !== undefined && readMark(dataDirectory) === mark
  const known = readNodeFile(dataDirectory)
  return known ? known.deploymentId === deploymentId : mark !== undefined && readMark(dataDirectory) === mark
}
