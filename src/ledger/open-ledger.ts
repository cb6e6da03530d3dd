import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Kysely } from 'kysely'
import { readPriceBook, type PriceBook } from '../config/price-book.ts'
import { readSettings } from '../config/settings.ts'
import type { Database } from '../db/schema.ts'
import { sqliteDialect } from '../db/sqlite.ts'

export interface Ledger extends AsyncDisposable {
  db: Kysely<Database>
  prices: PriceBook
}

/**
 * Opens the existing database of the data directory, beside a server that may be using it. Throws when there is none.
 */
export function openLedger(action: string, { readOnly }: { readOnly: boolean }): Ledger {
  const settings = readSettings(process.env)
  const path = join(settings.dataDirectory, 'carrel.db')
  if (!existsSync(path))
    throw new Error(`Cannot ${action}: there is no "${path}"; set CARREL_DATA to the data directory`)
  const prices = readPriceBook(settings.priceBook)
  const db = new Kysely<Database>({ dialect: sqliteDialect(path, { readOnly }) })
  return { db, prices, [Symbol.asyncDispose]: () => db.destroy() }
}
