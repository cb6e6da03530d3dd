import { isDeepStrictEqual } from 'node:util'
import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import { quoteFor, type Purchase, type Quote } from '../ledger/top-up.ts'
import { notSetUp } from '../../not-set-up.ts'
import { creditPayment, type PaidTopUp } from './credit-payment.ts'
import { paymentMethods, type PaymentMethod } from './payment-methods.ts'
import { answeredChallenge, loadPaymentLibrary, type Challenge, type PaymentLibrary } from './payment-library.ts'
import { findPayment } from './payment-records.ts'
import { readRefusal, unknownRefusal, type PaymentRefusal } from './payment-refusal.ts'
import { settlePayment } from './settle-payment.ts'
import { isForStripe, stripeMetadata, stripeMethod } from './stripe-method.ts'
import { tempoMethod } from './tempo-method.ts'
import type { MoneyContext, PostingContext } from '../money.ts'

export interface TopUp {
  accountId: string
  purchase: Purchase
  /** `Authorization: Payment …`; undefined while nothing is paid. */
  credential?: string | undefined
  /** The payment methods of the client (`Accept-Payment`). */
  accepts?: string | undefined
}

/**
 * Takes a payment by the Machine Payments Protocol and credits it. Without a credential, or with one that is not
 * accepted, returns a refusal with a challenge for each payment method. The same credential again gets the same answer
 * and moves nothing. Throws `invalid_request` for an invalid purchase, and `not_set_up` when no payment method is
 * configured.
 */
export async function takeTopUp(
  engine: PostingContext & Pick<MoneyContext, 'stripe' | 'machinePayments'>,
  topUp: TopUp,
): Promise<PaidTopUp | PaymentRefusal> {
  const quote = quoteFor(engine.prices, topUp.purchase)
  if (paymentMethods(engine.settings).length === 0)
    throw notSetUp(
      'Cannot top up',
      'this server has no payment method of the Machine Payments Protocol',
      'set CARREL_TEMPO_RECIPIENT, or CARREL_STRIPE_KEY and CARREL_STRIPE_PROFILE',
    )
  const library = await loadPaymentLibrary()
  const challenge = issuedChallenge(engine, library, topUp, quote)
  if (!challenge) return requestOrTake(engine, library, topUp, quote)
  return engine.locks.challenge(challenge.id, async () => {
    const known = await findPayment(engine.db, challenge.id)
    const paid = known && (await settlePayment(engine, library, known))
    if (paid) return paid
    const outcome = await requestOrTake(engine, library, topUp, quote)
    // The earlier transfer can still be on its way: a client that were asked to pay now would pay twice.
    return known?.state === 'pending' && 'challenges' in outcome ? unknownRefusal(library) : outcome
  })
}

/**
 * Returns what a challenge is for. The client cannot change this: only this says which account gets how much credit.
 */
function metaOf({ accountId }: TopUp, { amountCents, bonusMicros }: Quote): Record<string, string> {
  return { account: accountId, cents: String(amountCents), bonus: String(bonusMicros) }
}

/**
 * Returns the challenge that a credential answers, expired or not, if this server issued it for this purchase of this
 * account.
 */
function issuedChallenge(
  engine: Pick<MoneyContext, 'machinePayments'>,
  library: PaymentLibrary,
  topUp: TopUp,
  quote: Quote,
): Challenge | undefined {
  if (topUp.credential === undefined) return undefined
  try {
    const challenge = answeredChallenge(library, topUp.credential)
    const { secret: secretKey, realm } = engine.machinePayments
    if (!library.Challenge.verify(challenge, { secretKey }) || challenge.realm !== realm) return undefined
    const isForThis = isDeepStrictEqual(challenge.meta, { ...metaOf(topUp, quote), _mppx_scope: scope })
    return isForThis ? challenge : undefined
  } catch {
    // The library reports what is wrong with the credential.
    return undefined
  }
}

async function requestOrTake(
  engine: PostingContext & Pick<MoneyContext, 'stripe' | 'machinePayments'>,
  library: PaymentLibrary,
  topUp: TopUp,
  quote: Quote,
): Promise<PaidTopUp | PaymentRefusal> {
  const { Mppx, Receipt } = library
  const { realm, secret: secretKey } = engine.machinePayments
  const methods = new Set(paymentMethods(engine.settings))
  const server = Mppx.create({
    realm,
    secretKey,
    methods: [
      ...(methods.has('tempo') ? [tempoMethod(engine, library).server] : []),
      ...(methods.has('stripe') ? [stripeMethod(engine, library)] : []),
    ],
  })
  const offer = {
    amount: (quote.amountCents / 100).toFixed(2),
    description: `Carrel credit of $${quote.creditMicros / 1_000_000}`,
    meta: metaOf(topUp, quote),
    scope,
  }
  const paymentIntentOptions = { metadata: stripeMetadata(topUp.accountId, topUp.purchase) }
  const offers = [
    ...(methods.has('tempo') ? [['tempo/charge', offer]] : []),
    ...(methods.has('stripe') && isForStripe(quote.amountCents)
      ? [['stripe/charge', { ...offer, paymentIntentOptions }]]
      : []),
  ]
  if (offers.length === 0) throw amountTooSmall()
  const { credential, accepts } = topUp
  const request = new Request(engine.server.links.topUp(), {
    method: 'POST',
    headers: {
      ...(credential === undefined ? {} : { authorization: credential }),
      ...(accepts === undefined ? {} : { 'accept-payment': accepts }),
    },
  })
  const result = await server.compose(...(offers as Parameters<typeof server.compose>))(request)
  if (result.status === 402) return readRefusal(library, result.challenge)
  const receipt = result.withReceipt(new Response()).headers.get('payment-receipt')!
  const { method, reference } = Receipt.deserialize(receipt)
  const challenge = answeredChallenge(library, credential!)
  return creditPayment(engine, { method: method as PaymentMethod, reference, challenge, receipt })
}

/** Returns the error for an amount that no payment method accepts; the library would have nothing to ask for. */
function amountTooSmall(): CarrelError {
  const minimum = limits.stripeMinimumCents
  return new CarrelError(
    'invalid_request',
    `Cannot top up: Stripe, the only payment method here, accepts nothing below ${minimum} cents`,
    {
      details: { field: 'amountCents', minimum },
    },
  )
}

/** Keeps what was signed for another purpose from buying anything. */
const scope = 'topup'
