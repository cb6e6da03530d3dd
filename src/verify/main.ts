import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Kysely } from 'kysely'
import { readPriceBook } from '../config/price-book.ts'
import { readSettings } from '../config/settings.ts'
import type { Database } from '../db/schema.ts'
import { sqliteDialect } from '../db/sqlite.ts'
import { verifyBooks, type Verdict } from '../engine/ledger/verify-books.ts'

/** Checks the books of the data directory, which a server may be using; exits with 1 when something is wrong. */
async function main(asJson: boolean): Promise<void> {
  const settings = readSettings(process.env)
  const path = join(settings.dataDirectory, 'carrel.db')
  if (!existsSync(path))
    throw new Error(`Cannot check the books: there is no "${path}"; name the data directory by CARREL_DATA`)
  const { overdraftMicros } = readPriceBook(settings.priceBook)
  const db = new Kysely<Database>({ dialect: sqliteDialect(path, { readOnly: true }) })
  try {
    // In one transaction, so that all of it is seen as of one moment.
    const verdict = await db.transaction().execute((trx) => verifyBooks(trx, overdraftMicros))
    process.stdout.write(asJson ? `${JSON.stringify(verdict)}\n` : textOf(verdict))
    process.exitCode = verdict.problems.length === 0 ? 0 : 1
  } finally {
    await db.destroy()
  }
}

function textOf({ transactions, entries, books, intervals, problems }: Verdict): string {
  const looked = `${transactions} transactions, ${entries} entries, ${books} books and ${intervals} intervals of usage`
  if (problems.length === 0) return `The books are right: ${looked} checked.\n`
  return `The books are wrong: ${problems.length} problems in ${looked}.\n${problems.map((problem) => `  ${problem}\n`).join('')}`
}

await main(process.argv.includes('--json')).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
})
