import type { Transaction } from 'kysely'
import { limits } from '../../../config/limits.ts'
import type { Database, PaymentRow } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import type { Caller } from '../../caller.ts'
import { appendEvent } from '../../audit/append-event.ts'
import { quoteFor, type Purchase, type Quote } from '../ledger/top-up.ts'
import { notSetUp } from '../../not-set-up.ts'
import { stripeFailure, type StripeAccount } from './open-stripe.ts'
import { insertPayment, updatePayment } from './payments.ts'
import type { MoneyContext } from '../money.ts'
import type { Context } from '../../context.ts'

export interface StartedPayment {
  id: string
  /** The address of the page to pay on. */
  url: string
  quote: Quote
}

/**
 * Starts a payment by the configured method: a page of Stripe, or a page of this server with play money. Throws
 * `invalid_request` for an invalid amount or package, `not_set_up` without a payment method, `limit_reached` when too
 * many payments are open, and `unavailable` when Stripe does not answer.
 */
export async function startPayment(
  engine: Pick<MoneyContext, 'db' | 'settings' | 'server' | 'prices' | 'stripe'>,
  caller: Caller,
  purchase: Purchase,
  minimumCents?: number,
): Promise<StartedPayment> {
  const { db, stripe, settings } = engine
  const quote = quoteFor(engine.prices, purchase, minimumCents)
  if (!stripe && !settings.playMoney)
    throw notSetUp(
      'Cannot take a payment',
      'this server has no payment method',
      'set CARREL_STRIPE_KEY and CARREL_STRIPE_WEBHOOK_SECRET, or CARREL_PLAY_MONEY=on to try it out',
    )
  const { accountId, tokenId: actor } = caller
  const row = await transaction(db, { kind: 'operational', queue: accountId }, async (trx) => {
    await assertFewOpen(trx, accountId)
    const inserted = await insertPayment(trx, {
      accountId,
      method: stripe ? 'stripe' : 'play_money',
      cents: quote.amountCents,
      data: { tier: purchase.tier, bonusMicros: quote.bonusMicros },
    })
    const data = { paymentId: inserted.id, method: inserted.method, cents: inserted.cents }
    await appendEvent(trx, { accountId, type: 'payment.started', actor, data })
    return inserted
  })
  const url = stripe ? await openCheckout(engine, stripe, row, purchase) : engine.server.links.playMoney(row.id)
  return { id: row.id, url, quote }
}

/**
 * Opens a Checkout session. The key makes Stripe return the same session when the request is repeated after a lost
 * answer.
 */
async function openCheckout(
  engine: Pick<Context, 'db' | 'server'>,
  { client }: StripeAccount,
  row: PaymentRow,
  { tier }: Purchase,
): Promise<string> {
  const metadata: Record<string, string> = {
    carrel_account: row.account_id,
    carrel_payment: row.id,
    ...(tier === undefined ? { carrel_cents: String(row.cents) } : { carrel_tier: tier }),
  }
  try {
    const session = await client.checkout.sessions.create(
      {
        mode: 'payment',
        line_items: [
          {
            quantity: 1,
            price_data: { currency: 'usd', unit_amount: row.cents, product_data: { name: 'Carrel credit' } },
          },
        ],
        client_reference_id: row.id,
        metadata,
        payment_intent_data: { metadata, description: 'Carrel credit' },
        expires_at: Math.ceil((row.created_at + limits.checkoutMs) / 1000),
        success_url: engine.server.links.paid(row.id),
        cancel_url: engine.server.links.notPaid(row.id),
      },
      { idempotencyKey: `carrel:${row.id}` },
    )
    await updatePayment(engine.db, row, { session_id: session.id })
    return session.url!
  } catch (error) {
    // A session can have been opened all the same. Nobody knows its address; if somebody pays, its metadata says for what.
    throw stripeFailure('start the payment', error)
  }
}

async function assertFewOpen(trx: Transaction<Database>, accountId: string): Promise<void> {
  const { count } = await trx
    .selectFrom('payments')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('account_id', '=', accountId)
    .where('state', '=', 'open')
    .where('created_at', '>', Date.now() - limits.checkoutMs)
    .executeTakeFirstOrThrow()
  if (Number(count) < limits.openPaymentsPerAccount) return
  throw new CarrelError(
    'limit_reached',
    `Cannot start a payment: ${limits.openPaymentsPerAccount} are waiting to be paid, which is the limit within an hour`,
    { details: { limit: limits.openPaymentsPerAccount } },
  )
}
