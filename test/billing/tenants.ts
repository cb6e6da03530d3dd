import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { CliHome } from '../../src/cli/testing/run-cli.ts'
import { readPriceBook } from '../../src/config/price-book.ts'
import { openDatabase } from '../../src/db/open.ts'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import { createToken } from '../../src/engine/identity/accounts/tokens.ts'
import { setSpendingLimit } from '../../src/engine/money/credit/spending-limits.ts'
import { quoteFor, topUp } from '../../src/engine/money/ledger/top-up.ts'
import { serverDatabase, serverPlace } from '../support/server-database.ts'

const folder = mkdtempSync(join(tmpdir(), 'carrel-billing-'))
after(() => rmSync(folder, { recursive: true }))

/** Returns the path of a price book with these prices. */
export function priceBook(prices: object): string {
  const path = join(folder, `${randomUUID()}.json`)
  writeFileSync(path, JSON.stringify(prices))
  return path
}

/** A dollar a second, and two seconds for new accounts. */
const prices = priceBook({
  meters: { compute: { micros: 1_000_000 } },
  newAccountMicros: 2_000_000,
  lowBalanceMicros: 1_500_000,
})

/** Settings of a server on which seconds are expensive, and are checked often. */
export const dearEnvironment = { CARREL_PRICE_BOOK: prices, CARREL_SWEEP_INTERVAL_MS: '100' }

export const database = async () => openDatabase(await serverDatabase())

export interface Tenant {
  accountId: string
  token: string
}

export async function newTenant(): Promise<Tenant> {
  const db = await database()
  const accountId = await createAccount(db, 'tenant')
  const token = await createToken(db, accountId, 'laptop')
  await db.destroy()
  return { accountId, token }
}

export async function pay(accountId: string, quote: { tier: string } | { amountCents: number }): Promise<void> {
  const db = await database()
  const book = readPriceBook(prices)
  const key = `test:${accountId}:${Math.random()}`
  await topUp(db, book, { accountId, key, method: 'test', quote: quoteFor(book, quote) })
  await db.destroy()
}

/** Creates a key of an account with a daily limit. */
export async function newLimitedKey(
  accountId: string,
  limitMicros: number,
): Promise<{ token: string; tokenId: string }> {
  const db = await database()
  const token = await createToken(db, accountId, 'limited')
  const { id: tokenId } = await db
    .selectFrom('tokens')
    .select('id')
    .where('name', '=', 'limited')
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow()
  await setSpendingLimit(db, accountId, { tokenId, period: 'day', limitMicros })
  await db.destroy()
  return { token, tokenId }
}

/** Limits an account to three dollars a day. */
export async function limitWorkspace(accountId: string): Promise<void> {
  const db = await database()
  await setSpendingLimit(db, accountId, { period: 'day', limitMicros: 3_000_000 })
  await db.destroy()
}

export async function verify(): Promise<{ exitCode: number | null; stdout: string }> {
  using home = new CliHome()
  return home.run(['ledger', 'verify'], { env: await serverPlace() })
}

/** Fails with what is wrong in the ledger. */
export async function assertBooksAreRight(): Promise<void> {
  const { exitCode, stdout } = await verify()
  assert.equal(exitCode, 0, stdout)
}
