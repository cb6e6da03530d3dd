import { join } from 'node:path'
import type { Settings } from './settings.ts'

/** Returns where the database is: the URL that is set, or the file in the data directory. */
export function databaseLocation({
  databaseUrl,
  dataDirectory,
}: Pick<Settings, 'databaseUrl' | 'dataDirectory'>): string {
  return databaseUrl ?? join(dataDirectory, 'carrel.db')
}
