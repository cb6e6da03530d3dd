import type { Stripe } from 'stripe'
import { CarrelError } from '../../../errors.ts'
import { notSetUp } from '../../not-set-up.ts'
import type { StripeAccount } from './open-stripe.ts'
import { settleCheckout } from './settle-checkout.ts'
import { settleIntent } from './settle-intent.ts'
import type { MoneyContext, PostingContext } from '../money.ts'

/**
 * Handles an event that Stripe sends, by its exact bytes and the `Stripe-Signature` header. An event is a hint to check
 * a payment, not a fact: it can come twice, late, or before an earlier one. Throws `invalid_request` when the event was
 * not signed with the secret within five minutes, and `unavailable` when Stripe has to send it again.
 */
export async function handleStripeEvent(
  engine: PostingContext & Pick<MoneyContext, 'stripe'>,
  body: Buffer,
  signature: string | undefined,
): Promise<void> {
  const { log } = engine
  const { stripe, secret } = signerOf(engine)
  const event = verify(stripe.client, { body, signature, secret })
  const object = event?.data?.object
  if (!event || typeof object?.id !== 'string')
    return log.warn({ event: event?.id }, 'an event of Stripe is ignored: it concerns no object')
  const { id, type = '', livemode } = event
  if (livemode !== stripe.isLive)
    return log.warn(
      { event: id, type, livemode },
      'an event of Stripe is ignored: its mode differs from that of the key',
    )
  try {
    const isHandled = await settle(engine, stripe, type, object as EventObject)
    if (!isHandled) log.info({ event: id, type }, 'an event of Stripe is ignored: it has no effect here')
  } catch (error) {
    // Sending it again would not help.
    if (!isUnknown(error)) throw error
    log.warn(
      { err: error, event: id, type, object: object.id },
      'an event of Stripe is ignored: Stripe has no such object',
    )
  }
}

/**
 * Refuses an event by its header alone, before the body is read: when events are not configured, as `handleStripeEvent`
 * does, and when the header has no signature of the last five minutes. The bytes will show whether the signature is
 * right.
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

/** Returns the account that signs events, and the secret. Throws `not_set_up` when they are not configured. */
function signerOf({ stripe, settings }: Pick<MoneyContext, 'settings' | 'stripe'>): {
  stripe: StripeAccount
  secret: string
} {
  if (!stripe)
    throw notSetUp(
      'Cannot take the event',
      `this server takes ${settings.playMoney ? 'play money' : 'no payments'}, and has no Stripe key`,
      `set CARREL_STRIPE_KEY and CARREL_STRIPE_WEBHOOK_SECRET${settings.playMoney ? ' instead of CARREL_PLAY_MONEY' : ''}`,
    )
  const secret = settings.stripeWebhookSecret
  if (secret === undefined)
    throw notSetUp(
      'Cannot take the event',
      'the secret that Stripe signs with is not configured',
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

/** Settles the payment that an event concerns. Returns false when it concerns none. */
async function settle(
  engine: PostingContext,
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

/** Returns whether Stripe answered that it has no such object. */
function isUnknown(error: unknown): boolean {
  const { cause } = error as { cause?: { type?: string; statusCode?: number } }
  return cause?.type === 'StripeInvalidRequestError' && cause.statusCode === 404
}

/** Returns the signed event, which can be any JSON value. Throws `invalid_request` when the signature is wrong. */
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

/** Maximum age of a signature, as Stripe recommends. */
const toleranceS = 5 * 60
