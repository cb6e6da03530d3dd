import type { Stripe } from 'stripe'
import { CarrelError } from '../../../errors.ts'
import { notSetUp } from '../../not-set-up.ts'
import type { StripeAccount } from './open-stripe.ts'
import { settleCheckout } from './settle-checkout.ts'
import { settleIntent } from './settle-intent.ts'
import type { MoneyContext } from '../money.ts'

/**
 * Takes an event that Stripe sends, by its exact bytes and the `Stripe-Signature` header. An event is a hint to look at
 * a payment, not the truth of it: it may come twice, late, or before an earlier one. Rejects with `invalid_request`
 * when it was not signed with the secret within five minutes, with `unavailable` when Stripe has to send it again.
 */
export async function handleStripeEvent(
  engine: MoneyContext,
  body: Buffer,
  signature: string | undefined,
): Promise<void> {
  const { log } = engine
  const { stripe, secret } = signerOf(engine)
  const event = verify(stripe.client, { body, signature, secret })
  const what = event?.data?.object
  if (!event || typeof what?.id !== 'string')
    return log.warn({ event: event?.id }, 'an event of Stripe is passed over: it is about no object')
  const { id, type = '', livemode } = event
  if (livemode !== stripe.isLive)
    return log.warn(
      { event: id, type, livemode },
      'an event of Stripe is passed over: it is of the other mode than the key',
    )
  try {
    const isTaken = await follow(engine, stripe, type, what as EventObject)
    if (!isTaken) log.info({ event: id, type }, 'an event of Stripe is passed over: nothing follows from it')
  } catch (error) {
    // Sent again it would be about nothing still.
    if (!isUnknown(error)) throw error
    log.warn(
      { err: error, event: id, type, object: what.id },
      'an event of Stripe is passed over: Stripe has no such object',
    )
  }
}

/**
 * Refuses an event by its header alone, before anybody reads it: as `handleStripeEvent` does where nothing is set up, and
 * where the header is no signature of the last five minutes. Whether it is Stripe's is seen from the bytes.
 */
export function assertSignedRecently(
  engine: Pick<MoneyContext, 'settings' | 'stripe'>,
  signature: string | undefined,
): void {
  signerOf(engine)
  const fields = signature?.split(',') ?? []
  const at = fields.find((field) => /^t=\d{1,12}$/.test(field))?.slice(2)
  const isSigned = fields.some((field) => /^v1=[0-9a-f]{64}$/.test(field))
  if (!isSigned || at === undefined || Math.abs(Date.now() / 1000 - Number(at)) > toleranceS) throw notSigned()
}

/** Who signs events, and by which secret; rejects with `not_set_up` where nobody does. */
function signerOf({ stripe, settings }: Pick<MoneyContext, 'settings' | 'stripe'>): {
  stripe: StripeAccount
  secret: string
} {
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
  return { stripe, secret }
}

interface SignedEvent {
  id?: string
  type?: string
  livemode?: boolean
  data?: { object?: { id?: unknown } | null } | null
}

interface EventObject {
  id: string
  payment_intent?: string | { id: string } | null
}

/** Looks at the payment that an event is about; false when it is about none. */
async function follow(
  engine: MoneyContext,
  stripe: StripeAccount,
  type: string,
  object: EventObject,
): Promise<boolean> {
  if (type.startsWith('checkout.session.')) {
    await settleCheckout(engine, stripe, object.id)
    return true
  }
  const isOfPayment = type.startsWith('refund.') || type.startsWith('charge.')
  const intent = type === 'payment_intent.succeeded' ? object : isOfPayment ? object.payment_intent : undefined
  if (!intent) return false
  await settleIntent(engine, stripe, typeof intent === 'string' ? intent : intent.id)
  return true
}

/** Whether Stripe said that it has no such object. */
function isUnknown(error: unknown): boolean {
  const { cause } = error as { cause?: { type?: string; statusCode?: number } }
  return cause?.type === 'StripeInvalidRequestError' && cause.statusCode === 404
}

/** What is signed, which may be anything that JSON can say. */
function verify(
  client: Stripe,
  { body, signature = '', secret }: { body: Buffer; signature?: string | undefined; secret: string },
): SignedEvent | null {
  try {
    return client.webhooks.constructEvent(body, signature, secret, toleranceS) as SignedEvent | null
  } catch (cause) {
    throw notSigned(cause)
  }
}

function notSigned(cause?: unknown): CarrelError {
  return new CarrelError('invalid_request', 'Cannot take the event: it is not signed with the secret of this server', {
    details: { field: 'stripe-signature' },
    cause,
  })
}

/** The age of a signature at most, as Stripe recommends. */
const toleranceS = 5 * 60
