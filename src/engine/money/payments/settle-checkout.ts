import type { Stripe } from 'stripe'
import type { PaymentRow, PaymentState } from '../../../db/schema.ts'
import { creditIntent } from './credit-intent.ts'
import { stripeFailure, type StripeAccount } from './open-stripe.ts'
import { findPayment, updatePayment } from './payments.ts'
import type { MoneyContext } from '../money.ts'
import type { Context } from '../../context.ts'

/**
 * Brings a payment by Stripe's Checkout to where Stripe has it. What an event says may be old or come twice; what
 * Stripe answers holds. Rejects with `unavailable` when it does not answer.
 */
export async function settleCheckout(
  engine: MoneyContext,
  { client }: StripeAccount,
  sessionId: string,
): Promise<void> {
  const session = await client.checkout.sessions
    .retrieve(sessionId, { expand: ['payment_intent'] })
    .catch((error: unknown) => {
      throw stripeFailure('look at the payment', error)
    })
  const row = await paymentOf(engine, session)
  if (!row) return
  if (row.session_id === null) await updatePayment(engine.db, row, { session_id: session.id })
  const intent = session.payment_intent as Stripe.PaymentIntent | null
  if (intent?.status === 'succeeded') return void (await creditIntent(engine, intent))
  await updatePayment(engine.db, row, { state: stateOf(session, intent) })
}

async function paymentOf(
  { db, log }: Pick<Context, 'db' | 'log'>,
  session: Stripe.Checkout.Session,
): Promise<PaymentRow | undefined> {
  const id = session.metadata?.['carrel_payment']
  const row = (id && (await findPayment(db, 'id', id))) || (await findPayment(db, 'session_id', session.id))
  if (!row) log.info({ session: session.id }, 'a Checkout session at Stripe is of no payment of this server')
  return row || undefined
}

/** Of one whose money has not come. After an attempt that failed a person may try again while the session is open. */
function stateOf({ status }: Stripe.Checkout.Session, intent: Stripe.PaymentIntent | null): PaymentState {
  if (status === 'expired') return 'expired'
  if (status !== 'complete') return 'open'
  return intent?.status === 'requires_payment_method' || intent?.status === 'canceled' ? 'failed' : 'processing'
}
