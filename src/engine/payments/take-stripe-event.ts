import type { Stripe } from 'stripe'
import { CarrelError } from '../../errors.ts'
import type { Engine } from '../engine.ts'
import { notSetUp } from './not-set-up.ts'
import { settleCheckout } from './settle-checkout.ts'
import { settleIntent } from './settle-intent.ts'

/**
 * Takes an event that Stripe sends, by its exact bytes and the `Stripe-Signature` header. An event is a hint to look at a
 * payment, not the truth of it: it may come twice, late, or before an earlier one. Rejects with `invalid_request` when it
 * was not signed with the secret within five minutes, with `unavailable` when Stripe has to send it again.
 */
export async function takeStripeEvent(engine: Engine, body: Buffer, signature: string | undefined): Promise<void> {
  const { stripe, settings, log } = engine
  if (!stripe)
    throw notSetUp(
      'Cannot take the event',
      `this server takes ${settings.playMoney ? 'play money' : 'no payments'}, and has no key of Stripe`,
      `set CARREL_STRIPE_KEY and CARREL_STRIPE_WEBHOOK_SECRET${settings.playMoney ? ' instead of CARREL_PLAY_MONEY' : ''}`,
    )
  const secret = settings.stripeWebhookSecret
  if (secret === undefined)
    throw notSetUp(
      'Cannot take the event',
      'nothing says by which secret Stripe signs it',
      'set CARREL_STRIPE_WEBHOOK_SECRET',
    )
  const event = verify(stripe.client, { body, signature, secret })
  const { id, type, livemode } = event
  if (livemode !== stripe.isLive)
    return log.warn(
      { event: id, type, livemode },
      'an event of Stripe is passed over: it is of the other mode than the key',
    )
  const object = event.data.object as { id: string; payment_intent?: string | { id: string } | null }
  if (type.startsWith('checkout.session.')) return settleCheckout(engine, stripe, object.id)
  if (type === 'payment_intent.succeeded') return settleIntent(engine, stripe, object.id)
  const intent = type.startsWith('refund.') || type.startsWith('charge.') ? object.payment_intent : undefined
  if (intent) return settleIntent(engine, stripe, typeof intent === 'string' ? intent : intent.id)
  log.info({ event: id, type }, 'an event of Stripe is passed over: nothing follows from it')
}

function verify(
  client: Stripe,
  { body, signature = '', secret }: { body: Buffer; signature?: string | undefined; secret: string },
) {
  try {
    return client.webhooks.constructEvent(body, signature, secret)
  } catch (cause) {
    throw new CarrelError('invalid_request', 'Cannot take the event: it is not signed with the secret of this server', {
      details: { field: 'stripe-signature' },
      cause,
    })
  }
}
