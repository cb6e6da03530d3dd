import type { Kysely, Transaction } from 'kysely'
import { transaction } from '../../../db/transaction.ts'
import { chunks } from '../../../db/chunks.ts'
import type { Database, LedgerTransactionRow, TransactionKind } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { newId } from '../../ids.ts'
import type { Book } from './books.ts'

/** One economic fact that is to be recorded. */
export interface Posting {
  /** Identifies the fact forever: `usage:<computer>:…`, `stripe:pi:<id>`, `grant:<account>`. */
  key: string
  kind: TransactionKind
  accountId: string
  /** Their sum is zero; none is zero itself. */
  entries: Entry[]
  /** The transaction that this one takes back. */
  ofTransaction?: string
  data?: Record<string, unknown>
}

export interface Entry {
  book: Book
  amountMicros: number
}

export interface Posted {
  transaction: LedgerTransactionRow
  /** False for a fact that was recorded before: nothing was moved again. */
  isNew: boolean
}

export interface PostedBatch {
  /** In the order of the postings. */
  posted: Posted[]
  /** New balances of the ledger accounts that were moved. */
  balances: Map<string, number>
}

/**
 * Records one fact, once; it is on the disk when this resolves. Throws `out_of_credits` when the account has too little
 * credit, and `idempotency_mismatch` when the key belongs to another fact; nothing is moved then.
 */
export async function post(db: Kysely<Database>, posting: Posting, overdraftMicros: number): Promise<Posted> {
  const { posted } = await transaction(db, 'durable', (trx) => postTransactions(trx, [posting], overdraftMicros))
  return posted[0]!
}

/** Records many facts within the caller's transaction: all of them or none. */
export async function postTransactions(
  trx: Transaction<Database>,
  postings: readonly Posting[],
  overdraftMicros: number,
): Promise<PostedBatch> {
  for (const posting of postings) assertBalanced(posting)
  const known = await findTransactions(
    trx,
    postings.map(({ key }) => key),
  )
  const now = Date.now()
  const fresh: Posting[] = []
  const posted = postings.map((posting): Posted => {
    const before = known.get(posting.key)
    if (before) {
      assertSameFact(posting, before)
      return { transaction: before, isNew: false }
    }
    const transaction = rowOf(posting, now)
    known.set(posting.key, transaction)
    fresh.push(posting)
    return { transaction, isNew: true }
  })
  await write(trx, fresh, known)
  return { posted, balances: await moveBalances(trx, fresh, overdraftMicros) }
}

/** Returns the transactions that exist, by key. */
async function findTransactions(
  trx: Transaction<Database>,
  keys: string[],
): Promise<Map<string, LedgerTransactionRow>> {
  const found = new Map<string, LedgerTransactionRow>()
  for (const some of chunks(keys)) {
    const rows = await trx.selectFrom('ledger_transactions').selectAll().where('key', 'in', some).execute()
    for (const row of rows) found.set(row.key, row)
  }
  return found
}

async function write(
  trx: Transaction<Database>,
  postings: Posting[],
  rows: Map<string, LedgerTransactionRow>,
): Promise<void> {
  for (const some of chunks(postings)) {
    const transactions = some.map(({ key }) => rows.get(key)!)
    await trx.insertInto('ledger_transactions').values(transactions).execute()
    const entries = some.flatMap(({ entries }, index) =>
      entries.map(({ book, amountMicros }, position) => ({
        transaction_id: transactions[index]!.id,
        position,
        book_id: book.id,
        amount_micros: amountMicros,
      })),
    )
    await trx.insertInto('ledger_entries').values(entries).execute()
  }
}

/** Adds the entries to the balances. Throws when a balance falls too low. */
async function moveBalances(
  trx: Transaction<Database>,
  postings: Posting[],
  overdraftMicros: number,
): Promise<Map<string, number>> {
  const moves = new Map<string, { book: Book; amountMicros: number }>()
  for (const { book, amountMicros } of postings.flatMap(({ entries }) => entries)) {
    const move = moves.get(book.id)
    if (move) move.amountMicros += amountMicros
    else moves.set(book.id, { book, amountMicros })
  }
  const balances = new Map<string, number>()
  // In one order, so that no two transactions wait for each other's rows.
  const inOrder = [...moves.values()].toSorted((a, b) => (a.book.id < b.book.id ? -1 : 1))
  for (const some of chunks(inOrder)) {
    const rows = await trx
      .insertInto('ledger_books')
      .values(some.map(({ book, amountMicros }) => ({ ...book, balance_micros: amountMicros })))
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet((eb) => ({
          balance_micros: eb('ledger_books.balance_micros', '+', eb.ref('excluded.balance_micros')),
        })),
      )
      .returning(['id', 'balance_micros'])
      .execute()
    for (const { id, balance_micros } of rows) balances.set(id, Number(balance_micros))
  }
  for (const { book, amountMicros } of moves.values()) {
    if (amountMicros < 0) assertCovered(book, balances.get(book.id)!, overdraftMicros)
  }
  return balances
}

function assertCovered(book: Book, balanceMicros: number, overdraftMicros: number): void {
  if (book.kind === 'hold' && balanceMicros < 0) throw new Error(`More was taken from "${book.id}" than it held`)
  if (book.kind === 'credit' && balanceMicros < -overdraftMicros)
    throw new CarrelError('out_of_credits', 'Cannot charge the account: its credit does not suffice')
}

function rowOf({ key, kind, accountId, entries, ofTransaction, data }: Posting, now: number): LedgerTransactionRow {
  return {
    // Ordered by time, so that rows that are written together are stored together.
    id: now.toString(36) + newId(),
    key,
    kind,
    account_id: accountId,
    amount_micros: amountOf(entries),
    of_transaction: ofTransaction ?? null,
    data: JSON.stringify(data ?? {}),
    at: now,
  }
}

/** Returns what changes hands: what some ledger accounts gain, others lose. */
function amountOf(entries: Entry[]): number {
  return entries.reduce((sum, { amountMicros }) => sum + Math.max(0, amountMicros), 0)
}

function assertBalanced({ key, entries }: Posting): void {
  const sum = entries.reduce((total, { amountMicros }) => total + amountMicros, 0)
  const whole = entries.every(({ amountMicros }) => Number.isSafeInteger(amountMicros) && amountMicros !== 0)
  if (!whole || sum !== 0 || entries.length < 2 || !Number.isSafeInteger(amountOf(entries)))
    throw new Error(`Cannot post "${key}": its entries have to be whole and add up to zero`)
}

function assertSameFact(posting: Posting, row: LedgerTransactionRow): void {
  const { kind, accountId, entries } = posting
  if (row.kind === kind && row.account_id === accountId && Number(row.amount_micros) === amountOf(entries)) return
  throw new CarrelError('idempotency_mismatch', `Cannot post "${posting.key}": the key stands for another fact`, {
    details: { key: posting.key },
  })
}
