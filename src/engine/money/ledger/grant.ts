import { sql, type Kysely, type Transaction } from 'kysely'
import type { PriceBook } from '../../../config/price-book.ts'
import { transaction } from '../../../db/transaction.ts'
import type { Database } from '../../../db/schema.ts'
import { creditOf, promotions } from './books.ts'
import { postTransactions, type Posting } from './post.ts'

/**
 * Gives accounts that nobody signed up for their first credit. An account gets it once, however often this is called.
 * Accounts of users get nothing here, since signing up has decided it, nor do shared workspaces: otherwise a user could
 * create many and never pay.
 */
export async function grantFirstCredit(
  db: Kysely<Database>,
  accountIds: readonly string[],
  prices: Pick<PriceBook, 'newAccountMicros' | 'overdraftMicros'>,
): Promise<void> {
  const { newAccountMicros, overdraftMicros } = prices
  // Most accounts have it, and a transaction would wait for the disk.
  if (newAccountMicros === 0 || (await withoutGrant(db, accountIds)).length === 0) return
  await transaction(db, 'durable', async (trx) => {
    const without = await withoutGrant(trx, accountIds)
    const postings = without.map((accountId) => grant(accountId, newAccountMicros))
    await postTransactions(trx, postings, overdraftMicros)
  })
}

/** Returns those of the accounts that get the first credit by `grantFirstCredit` and do not have it yet. */
async function withoutGrant(db: Kysely<Database>, accountIds: readonly string[]): Promise<string[]> {
  const had = await db
    .selectFrom('ledger_transactions')
    .select('account_id')
    .where('key', 'in', accountIds.map(keyOf))
    .execute()
  const made = await db
    .selectFrom('accounts')
    .select('id')
    .where('id', 'in', accountIds)
    .where('shared', '=', 1)
    .execute()
  // For accounts of users, signing up has decided.
  const decided = await db
    .selectFrom('first_credits')
    .select('account_id')
    .where('account_id', 'in', accountIds)
    .execute()
  // The first credit can change over the years; an account that had an earlier one does not get the difference.
  const excluded = [...[...had, ...decided].map(({ account_id }) => account_id), ...made.map(({ id }) => id)]
  return [...new Set(accountIds).difference(new Set(excluded))]
}

/** Gives the first credit to an account that the transaction creates, so that it never exists without it. */
export async function grantWithAccount(
  trx: Transaction<Database>,
  accountId: string,
  { newAccountMicros, overdraftMicros }: Pick<PriceBook, 'newAccountMicros' | 'overdraftMicros'>,
): Promise<void> {
  if (newAccountMicros > 0) await postTransactions(trx, [grant(accountId, newAccountMicros)], overdraftMicros)
}

/**
 * Gives the first credit to accounts that existed before the ledger, and to those that were created without the server.
 */
export async function grantToAll(db: Kysely<Database>, prices: PriceBook): Promise<void> {
  const rows = await db
    .selectFrom('accounts')
    .select('id')
    .where('shared', '=', 0)
    .where('id', 'not in', (eb) =>
      eb.selectFrom('ledger_transactions').select('account_id').where('kind', '=', 'grant').where(isNoCharge),
    )
    .where('id', 'not in', (eb) => eb.selectFrom('first_credits').select('account_id'))
    .execute()
  for (let start = 0; start < rows.length; start += accountsAtOnce) {
    const some = rows.slice(start, start + accountsAtOnce)
    await grantFirstCredit(
      db,
      some.map(({ id }) => id),
      prices,
    )
  }
}

const keyOf = (accountId: string) => `grant:${accountId}`

function grant(accountId: string, amountMicros: number): Posting {
  return {
    key: keyOf(accountId),
    kind: 'grant',
    accountId,
    entries: [
      { book: promotions, amountMicros: -amountMicros },
      { book: creditOf(accountId), amountMicros },
    ],
  }
}

/** Literally the condition of the index of transactions that are not charges, so that charges are not read. */
const isNoCharge = sql<boolean>`kind <> 'usage'`
const accountsAtOnce = 1000
