import { existsSync } from 'node:fs'
import type { Kysely } from 'kysely'
import { databaseLocation } from '../config/database-location.ts'
import { readPriceBook, type PriceBook } from '../config/price-book.ts'
import { readSettings } from '../config/settings.ts'
import { connectDatabase } from '../db/open.ts'
import type { Database } from '../db/schema.ts'

export interface Ledger extends AsyncDisposable {
  db: Kysely<Database>
  prices: PriceBook
}

/**
 * Opens the existing database of the settings, beside servers that may be using it. Throws when there is no file.
 */
export function openLedger(action: string, { readOnly }: { readOnly: boolean }): Ledger {
  const settings = readSettings(process.env)
  const location = databaseLocation(settings)
  if (settings.databaseUrl === undefined && !existsSync(location))
    throw new Error(`Cannot ${action}: there is no "${location}"; set CARREL_DATA to the data directory`)
  const prices = readPriceBook(settings.priceBook)
  const db = connectDatabase(location, { readOnly })
  return { db, prices, [Symbol.asyncDispose]: () => db.destroy() }
}
