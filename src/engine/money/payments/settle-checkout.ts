import type { Stripe } from 'stripe'
import type { PaymentRow, PaymentState } from '../../../db/schema.ts'
import { creditIntent } from './credit-intent.ts'
import { stripeFailure, type StripeAccount } from './open-stripe.ts'
import { findPayment, updatePayment } from './payments.ts'
import type { PostingContext } from '../money.ts'
import type { Context } from '../../context.ts'

/**
 * Updates a payment by the state of its Checkout session at Stripe. An event can be old or repeated; what Stripe
 * answers now counts. Throws `unavailable` when Stripe does not answer.
 */
export async function settleCheckout(
  engine: PostingContext,
  { client }: StripeAccount,
  sessionId: string,
): Promise<void> {
  const session = await client.checkout.sessions
    .retrieve(sessionId, { expand: ['payment_intent'] })
    .catch((error: unknown) => {
      throw stripeFailure('check the payment', error)
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
  if (!row) log.info({ session: session.id }, 'a Checkout session at Stripe belongs to no payment of this server')
  return row || undefined
}

/**
 * Returns the state of a payment that is not paid. After a failed attempt the payer can try again while the session is
 * open.
 */
function stateOf({ status }: Stripe.Checkout.Session, intent: Stripe.PaymentIntent | null): PaymentState {
  if (status === 'expired') return 'expired'
  if (status !== 'complete') return 'open'
  return intent?.status === 'requires_payment_method' || intent?.status === 'canceled' ? 'failed' : 'processing'
}
