import type { Kysely, Transaction } from 'kysely'
import type { PriceBook } from '../../../config/price-book.ts'
import { transaction } from '../../../db/transaction.ts'
import type { Database, PaymentRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { quoteFor, topUp } from '../ledger/top-up.ts'
import { keyOf } from './credit-intent.ts'
import { dataOf, findPayment, lockPayment, updatePayment } from './payments.ts'

/** A payment that was received and could not be credited automatically. */
export interface Review {
  paymentId: string
  accountId: string
  /** The name of the account; undefined when it is deleted. */
  accountName: string | undefined
  method: string
  /** The requested amount. */
  cents: number
  /** Stripe's PaymentIntent. */
  intentId: string
  /** What was received, and why it is not credited. */
  reason: string
  createdAtMs: number
}

/** Returns the payments that are held for review, the oldest first. */
export async function listReviews(db: Kysely<Database>): Promise<Review[]> {
  const rows = await db
    .selectFrom('payments')
    .leftJoin('accounts', 'accounts.id', 'payments.account_id')
    .selectAll('payments')
    .select('accounts.name as account_name')
    .where('state', '=', 'review')
    .orderBy('payments.created_at')
    .orderBy('payments.id')
    .execute()
  return rows.map(({ account_name, ...row }) => ({
    paymentId: row.id,
    accountId: row.account_id,
    accountName: account_name ?? undefined,
    method: row.method,
    cents: Number(row.cents),
    intentId: row.intent_id!,
    reason: dataOf(row).reason ?? '',
    createdAtMs: Number(row.created_at),
  }))
}

/**
 * Credits a payment that is held for review with this many cents, without a bonus, once: under the key that the payment
 * itself would have been credited by. A repetition with the same amount moves nothing. Throws `not_found` when there is
 * no such payment, `conflict` when it is not held for review or its account is deleted, and `invalid_request` for an
 * invalid amount.
 */
export async function creditReview(
  db: Kysely<Database>,
  prices: PriceBook,
  paymentId: string,
  cents: number,
): Promise<{ isNew: boolean; balanceMicros: number }> {
  const quote = quoteFor(prices, { amountCents: cents }, 1)
  const found = await findPayment(db, 'id', paymentId)
  if (!found) throw noSuchPayment(paymentId)
  const { account_id: accountId, method } = found
  const key = keyOf(String(found.intent_id))
  const payment = { accountId, key, method, quote }
  return topUp(db, prices, payment, async (trx) => {
    const row = await lockKnown(trx, paymentId)
    const doing = `credit payment "${paymentId}"`
    if (row.state === 'paid' && row.key === key) return assertSameAmount(row, cents, doing)
    assertInReview(row, doing)
    const account = await trx.selectFrom('accounts').select('id').where('id', '=', accountId).executeTakeFirst()
    if (!account)
      throw new CarrelError('conflict', `Cannot ${doing}: its account is deleted; refund it, then dismiss it`)
    await updatePayment(trx, row, { state: 'paid', key, data: { paidCents: cents, bonusMicros: 0 } })
    const data = { paymentId, method, cents, bonusMicros: 0 }
    await appendEvent(trx, { accountId, type: 'payment.credited', actor: 'operator', data })
  })
}

/**
 * Marks a payment that is held for review as settled elsewhere, such as by a refund: nothing is credited. Throws as
 * `creditReview` does.
 */
export function dismissReview(db: Kysely<Database>, paymentId: string): Promise<{ isNew: boolean }> {
  return transaction(db, 'durable', async (trx) => {
    const row = await lockKnown(trx, paymentId)
    if (row.state === 'dismissed') return { isNew: false }
    assertInReview(row, `dismiss payment "${paymentId}"`)
    await updatePayment(trx, row, { state: 'dismissed' })
    const { account_id: accountId } = row
    await appendEvent(trx, { accountId, type: 'payment.dismissed', actor: 'operator', data: { paymentId } })
    return { isNew: true }
  })
}

async function lockKnown(trx: Transaction<Database>, id: string): Promise<PaymentRow> {
  const row = await lockPayment(trx, id)
  if (row) return row
  throw noSuchPayment(id)
}

function noSuchPayment(id: string): CarrelError {
  return new CarrelError('not_found', `Cannot settle payment "${id}": there is no such payment`)
}

function assertInReview({ state }: PaymentRow, doing: string): void {
  if (state === 'review') return
  throw new CarrelError('conflict', `Cannot ${doing}: it is not held for review, its state is "${state}"`)
}

function assertSameAmount(row: PaymentRow, cents: number, doing: string): void {
  const { paidCents } = dataOf(row)
  if (paidCents === cents) return
  throw new CarrelError('conflict', `Cannot ${doing}: it was credited before, with ${String(paidCents)} cents`)
}
