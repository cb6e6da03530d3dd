import { join } from 'node:path'
import { testDataDirectory } from './data-directory.ts'
import { newDatabase, runsOnPostgres } from './test-database.ts'

let url: Promise<string> | undefined

/** Returns the setting of the servers of this test file, which share one database; undefined with SQLite. */
export async function serverDatabaseUrl(): Promise<string | undefined> {
  if (!runsOnPostgres) return undefined
  // It is removed when everything that the tests of the file wait for has ended.
  return (url ??= newDatabase({ after: (end) => void process.once('beforeExit', () => void end()) }))
}

/** Returns where the database of the servers of this test file is. */
export async function serverDatabase(): Promise<string> {
  return (await serverDatabaseUrl()) ?? join(testDataDirectory, 'carrel.db')
}

/** Returns the settings by which a command finds the data of the servers of this test file. */
export async function serverPlace(): Promise<Record<string, string>> {
  const databaseUrl = await serverDatabaseUrl()
  return { CARREL_DATA: testDataDirectory, ...(databaseUrl !== undefined && { CARREL_DATABASE_URL: databaseUrl }) }
}
