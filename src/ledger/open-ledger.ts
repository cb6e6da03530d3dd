import type { Kysely } from 'kysely'
import { readPriceBook, type PriceBook } from '../config/price-book.ts'
import { readSettings } from '../config/settings.ts'
import { connectExisting } from '../start/connect-existing.ts'
import type { Database } from '../db/schema.ts'

export interface Ledger extends AsyncDisposable {
  db: Kysely<Database>
  prices: PriceBook
}

/** Opens the ledger of an existing database. Throws as `connectExisting` does. */
export async function openLedger(action: string, { readOnly }: { readOnly: boolean }): Promise<Ledger> {
  const prices = readPriceBook(readSettings(process.env).priceBook)
  const db = await connectExisting(action, { readOnly })
  return { db, prices, [Symbol.asyncDispose]: () => db.destroy() }
}
