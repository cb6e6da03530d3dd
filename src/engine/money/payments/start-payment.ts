import { limits } from '../../../config/limits.ts'
import type { PaymentRow } from '../../../db/schema.ts'
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
  /** Where a person pays. */
  url: string
  quote: Quote
}

/**
 * Begins a payment by the way that is set up: a page of Stripe's, or one of this server with play money. Rejects with
 * `invalid_request` an amount or package that cannot be bought, with `not_set_up` when there is no way of paying, with
 * `limit_reached` when too many payments wait, and with `unavailable` when Stripe does not answer.
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
      'this server has no way of paying',
      'set CARREL_STRIPE_KEY and CARREL_STRIPE_WEBHOOK_SECRET, or CARREL_PLAY_MONEY=on to try it out',
    )
  await assertFewOpen(engine, caller.accountId)
  const row = await insertPayment(db, {
    accountId: caller.accountId,
    method: stripe ? 'stripe' : 'play_money',
    cents: quote.amountCents,
    data: { tier: purchase.tier, bonusMicros: quote.bonusMicros },
  })
  const data = { paymentId: row.id, method: row.method, cents: row.cents }
  await appendEvent(db, { accountId: row.account_id, type: 'payment.started', actor: caller.tokenId, data })
  const url = stripe
    ? await openCheckout(engine, stripe, row, purchase)
    : `${engine.server.origin()}/billing/pay/${row.id}`
  return { id: row.id, url, quote }
}

/** A Checkout session. Asked for again with the same key when the answer is lost, Stripe gives the same one. */
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
        success_url: `${engine.server.origin()}/billing/return?payment=${row.id}`,
        cancel_url: `${engine.server.origin()}/billing/cancel?payment=${row.id}`,
      },
      { idempotencyKey: `carrel:${row.id}` },
    )
    await updatePayment(engine.db, row, { session_id: session.id })
    return session.url!
  } catch (error) {
    // A session may have been opened all the same. Nobody has its address; should somebody pay, its metadata says for
    // what.
    throw stripeFailure('begin the payment', error)
  }
}

async function assertFewOpen({ db }: Pick<Context, 'db'>, accountId: string): Promise<void> {
  const { count } = await db
    .selectFrom('payments')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('account_id', '=', accountId)
    .where('state', '=', 'open')
    .where('created_at', '>', Date.now() - limits.checkoutMs)
    .executeTakeFirstOrThrow()
  if (Number(count) < limits.openPaymentsPerAccount) return
  throw new CarrelError(
    'limit_reached',
    `Cannot begin a payment: ${limits.openPaymentsPerAccount} wait for somebody to pay, which is the limit within an hour`,
    { details: { limit: limits.openPaymentsPerAccount } },
  )
}
