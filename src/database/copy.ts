import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readPriceBook } from '../config/price-book.ts'
import { readSettings } from '../config/settings.ts'
import { lockDataDirectory } from '../data-lock.ts'
import { copyFromSqlite, type CopiedTable } from '../db/copy-from-sqlite.ts'
import { openDatabase } from '../db/open.ts'
import { transaction } from '../db/transaction.ts'
import { newId } from '../engine/ids.ts'
import { verifyBooks } from '../engine/money/ledger/verify-books.ts'
import { findNode } from '../start/find-node.ts'
import { writeNodeFile } from '../start/node-file.ts'

/**
 * Copies the SQLite database of the data directory into the PostgreSQL database of CARREL_DATABASE_URL, and verifies the
 * ledger there. The file stays as it is, but no longer belongs to the directory. Resolves with the exit code, which is 1
 * when the ledger is wrong. Throws when a server runs, when there is no file, and when the target has data.
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
  await using open = new AsyncDisposableStack()
  const from = open.adopt(await openDatabase(path), (db) => db.destroy())
  const to = open.adopt(await openDatabase(databaseUrl), (db) => db.destroy())
  const nodeId = await findNode(from, dataDirectory)
  const deploymentId = newId()
  const tables = await copyFromSqlite(from, to, deploymentId)
  // From here on the file is an old copy: a server that used it would delete what is created now.
  writeNodeFile(dataDirectory, { nodeId, deploymentId })
  const { problems } = await transaction(to, 'read', (trx) => verifyBooks(trx, prices.overdraftMicros))
  process.stdout.write(asJson ? `${JSON.stringify({ tables, problems })}\n` : textOf(tables, problems))
  return problems.length === 0 ? 0 : 1
}

function textOf(tables: CopiedTable[], problems: string[]): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  const lines = [
    `Copied ${rows} rows of ${tables.length} tables. Start the server with CARREL_DATABASE_URL set.`,
    ...(problems.length === 0
      ? ['The ledger is correct.']
      : ['The ledger is wrong, as it is in the file:', ...problems.map((problem) => `  ${problem}`)]),
  ]
  return `${lines.join('\n')}\n`
}
