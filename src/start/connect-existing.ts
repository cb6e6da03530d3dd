import { existsSync } from 'node:fs'
import type { Kysely } from 'kysely'
import { databaseLocation } from '../config/database-location.ts'
import { readSettings } from '../config/settings.ts'
import { connectDatabase, withoutPassword } from '../db/open.ts'
import type { Database } from '../db/schema.ts'
import { assertOwnDatabase } from './assert-own-database.ts'

/**
 * Connects to the database that the settings of the environment name, beside servers that may be using it. `action` says
 * in the message what cannot be done. Throws when there is no such database, when it has other tables than this program
 * works with, and when the data directory belongs to another database, as it does after a move to PostgreSQL.
 */
export async function connectExisting(action: string, options: { readOnly: boolean }): Promise<Kysely<Database>> {
  const settings = readSettings(process.env)
  const location = databaseLocation(settings)
  if (settings.databaseUrl === undefined && !existsSync(location))
    throw new Error(`Cannot ${action}: there is no "${location}"; set CARREL_DATA to the data directory`)
  const found = await assertOwnDatabase(settings, action)
  if (found === 'missing' || !found.isMigrated)
    throw new Error(
      `Cannot ${action}: the database "${withoutPassword(location)}" is empty or of an earlier version; start a server of this version with it first`,
    )
  // What only reads may take long: it keeps nothing from the servers.
  return connectDatabase(location, { ...options, ...(options.readOnly && { statementMs: 0 }) })
}
