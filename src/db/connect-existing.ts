import { existsSync } from 'node:fs'
import type { Kysely } from 'kysely'
import { databaseLocation } from '../config/database-location.ts'
import { readSettings } from '../config/settings.ts'
import { connectDatabase } from './open.ts'
import type { Database } from './schema.ts'

/**
 * Connects to the database that the settings of the environment name, beside servers that may be using it. Throws when
 * there is no such file. `action` says in the message what cannot be done.
 */
export function connectExisting(action: string, options: { readOnly: boolean }): Kysely<Database> {
  const settings = readSettings(process.env)
  const location = databaseLocation(settings)
  if (settings.databaseUrl === undefined && !existsSync(location))
    throw new Error(`Cannot ${action}: there is no "${location}"; set CARREL_DATA to the data directory`)
  return connectDatabase(location, options)
}
