import type { Kysely } from 'kysely'
import type { Stripe } from 'stripe'
import type { PriceBook } from '../../../config/price-book.ts'
import type { Database, PaymentRow } from '../../../db/schema.ts'
import { asCarrelError } from '../../../errors.ts'
import { creditLeft } from '../credit/credit-left.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { creditOf } from '../ledger/books.ts'
import { microsPerCent, topUp, type Quote } from '../ledger/top-up.ts'
import { assertAccountExists } from './assert-account-exists.ts'
import { dataOf, findOrInsertPayment, findPayment, updatePayment } from './payments.ts'
import { holdForReview } from './hold-for-review.ts'
import type { MoneyContext, PostingContext } from '../money.ts'
import type { Context } from '../../context.ts'

/** Returns the key of the fact: one payment intent is one fact, whoever reports it first. */
export function keyOf(intentId: string): string {
  return `stripe:pi:${intentId}`
}

/**
 * Credits what a PaymentIntent received, as Stripe itself reports it now. Does nothing for one that is not paid or not
 * for an account of this server. Returns false when nothing of it is in the ledger.
 */
export function creditIntent(engine: PostingContext, intent: Stripe.PaymentIntent): Promise<boolean> {
  return engine.locks.intent(intent.id, async () => {
    const row = await paymentOf(engine, intent)
    if (!row || intent.status !== 'succeeded') return false
    if (intent.currency !== 'usd' || intent.amount_received <= 0) {
      const reason = `Stripe received ${intent.amount_received} ${intent.currency}, which cannot be credited`
      await holdForReview(engine, row, { intentId: intent.id, reason })
      return false
    }
    const quote = quoteOf(engine.prices, row, intent)
    const isNew = await credit(engine, row, intent, quote)
    if (isNew === undefined) {
      const reason = `Stripe received ${intent.amount_received} ${intent.currency} for an account that is deleted`
      await holdForReview(engine, row, { intentId: intent.id, reason, accountId: null })
      return false
    }
    await updatePayment(engine.db, row, {
      state: 'paid',
      key: keyOf(intent.id),
      intent_id: intent.id,
      data: { bonusMicros: quote.bonusMicros, paidCents: quote.amountCents },
    })
    if (!isNew) return true
    const data = { paymentId: row.id, method: 'stripe', cents: quote.amountCents, bonusMicros: quote.bonusMicros }
    await appendEvent(engine.db, { accountId: row.account_id, type: 'payment.credited', actor: 'stripe', data })
    // Responses stop warning of low credit then.
    await creditLeft(engine, row.account_id)
    return true
  })
}

/**
 * Returns the payment of an intent. Creates the row where there is none, for a machine payment whose answer was lost.
 * Returns undefined for an intent that is not ours.
 */
async function paymentOf(
  { db, log }: Pick<Context, 'db' | 'log'>,
  intent: Stripe.PaymentIntent,
): Promise<PaymentRow | undefined> {
  const { carrel_payment: id, carrel_account: accountId, carrel_tier: tier } = intent.metadata
  const known = (id && (await findPayment(db, 'id', id))) || (await findPayment(db, 'intent_id', intent.id))
  if (known) return known
  if (!accountId || !(await isOurs(db, accountId))) {
    log.info({ intent: intent.id }, 'a payment at Stripe is not for an account of this server')
    return undefined
  }
  if (intent.status !== 'succeeded') return undefined
  return findOrInsertPayment(db, {
    accountId,
    method: 'stripe',
    cents: intent.amount,
    intentId: intent.id,
    data: { tier },
  })
}

/** Returns whether the account exists or existed: a deleted one leaves its ledger account and its payments. */
async function isOurs(db: Kysely<Database>, accountId: string): Promise<boolean> {
  const account = await db.selectFrom('accounts').select('id').where('id', '=', accountId).executeTakeFirst()
  if (account) return true
  const book = db.selectFrom('ledger_books').select('id').where('id', '=', creditOf(accountId).id)
  const payment = db.selectFrom('payments').select('id').where('account_id', '=', accountId)
  return (await book.executeTakeFirst()) !== undefined || (await payment.executeTakeFirst()) !== undefined
}

/** Returns the promised quote for the requested amount; another amount is credited as it came, without a bonus. */
function quoteOf({ tiers }: PriceBook, row: PaymentRow, { amount_received: amountCents }: Stripe.PaymentIntent): Quote {
  const { tier, bonusMicros = bonusNow() } = dataOf(row)
  const bonus = amountCents === Number(row.cents) ? bonusMicros : 0
  return { amountCents, bonusMicros: bonus, creditMicros: amountCents * microsPerCent + bonus }

  /** For a payment without a record of its start. */
  function bonusNow(): number {
    const known = tier !== undefined && Object.hasOwn(tiers, tier) ? tiers[tier] : undefined
    return known?.cents === amountCents ? amountCents * known.bonusPercent * 100 : 0
  }
}

/**
 * Returns false when the payment was credited before, and undefined when the account is deleted: nothing is credited
 * then.
 */
async function credit(
  engine: Pick<MoneyContext, 'db' | 'log' | 'prices'>,
  row: PaymentRow,
  intent: Stripe.PaymentIntent,
  quote: Quote,
): Promise<boolean | undefined> {
  const { db, prices, log } = engine
  const requested = Number(row.cents)
  if (quote.amountCents !== requested)
    log.warn(
      { payment: row.id, requested, received: quote.amountCents },
      'Stripe received an amount other than the requested one',
    )
  try {
    const payment = { accountId: row.account_id, key: keyOf(intent.id), method: 'stripe', quote }
    return (await topUp(db, prices, payment, (trx) => assertAccountExists(trx, payment))).isNew
  } catch (error) {
    const { code } = asCarrelError(error)
    if (code === 'not_found') return undefined
    if (code !== 'idempotency_mismatch') throw error
    log.error({ err: error, payment: row.id }, 'a payment was credited before, with another amount')
    return false
  }
}
