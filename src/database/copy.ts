import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readPriceBook } from '../config/price-book.ts'
import { readSettings } from '../config/settings.ts'
import { lockDataDirectory } from '../data-lock.ts'
import type { CopiedTable } from '../db/copy-from-sqlite.ts'
import { connectDatabase } from '../db/open.ts'
import { transaction } from '../db/transaction.ts'
import { verifyBooks } from '../engine/money/ledger/verify-books.ts'
import { copyDirectory } from './copy-directory.ts'
import { finishCopy } from './finish-copy.ts'

/**
 * Copies the SQLite database of the data directory into the PostgreSQL database of CARREL_DATABASE_URL, and verifies the
 * ledger there. The rows of the file stay, but the file no longer belongs to the directory. A second run copies nothing,
 * and finishes what the first one left. Resolves with the exit code, which is 1 when the ledger is wrong. Throws, with
 * nothing changed, when a server runs, when the directory has no database of its own, and when the target has other data.
 */
export async function copy({ asJson }: { asJson: boolean }): Promise<number> {
  const { dataDirectory, databaseUrl, priceBook } = readSettings(process.env)
  const path = join(dataDirectory, 'carrel.db')
  if (databaseUrl === undefined)
    throw new Error('Cannot copy the database: set CARREL_DATABASE_URL to the PostgreSQL database that is to have it')
  if (!existsSync(path))
    throw new Error(`Cannot copy the database: there is no "${path}"; set CARREL_DATA to the data directory`)
  const prices = readPriceBook(priceBook)
  lockDataDirectory(dataDirectory)
  const isNew = !(await finishCopy(dataDirectory, databaseUrl))
  const tables = isNew ? await copyDirectory(dataDirectory, databaseUrl) : []
  await using open = new AsyncDisposableStack()
  const to = open.adopt(connectDatabase(databaseUrl, { readOnly: true, statementMs: 0 }), (db) => db.destroy())
  const { problems } = await transaction(to, 'read', (trx) => verifyBooks(trx, prices.overdraftMicros))
  process.stdout.write(
    asJson
      ? `${JSON.stringify({ isNew, tables, problems })}\n`
      : `${isNew ? textOf(tables) : `The database was copied before: "${dataDirectory}" belongs to the copy.`}
Start the server with CARREL_DATABASE_URL set.
${ledgerText(problems)}\n`,
  )
  return problems.length === 0 ? 0 : 1
}

function textOf(tables: CopiedTable[]): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  return `Copied ${rows} rows of ${tables.length} tables.`
}

function ledgerText(problems: string[]): string {
  if (problems.length === 0) return 'The ledger is correct.'
  return ['The ledger is wrong, as it is in the file:', ...problems.map((problem) => `  ${problem}`)].join('\n')
}
