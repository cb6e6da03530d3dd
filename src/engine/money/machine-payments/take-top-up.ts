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
import type { MoneyContext } from '../money.ts'

export interface TopUp {
  accountId: string
  purchase: Purchase
  /** `Authorization: Payment …`; undefined when nothing was paid yet. */
  credential?: string | undefined
  /** What the client can pay by (`Accept-Payment`). */
  accepts?: string | undefined
}

/**
 * Takes a payment by the Machine Payments Protocol and credits it. Without a credential, or with one that is not taken,
 * the answer is a refusal with a challenge for each way to pay. The same credential again gets the same answer and
 * moves nothing. Rejects with `invalid_request` what cannot be bought, with `not_set_up` where the operator takes no
 * payments.
 */
export async function takeTopUp(engine: MoneyContext, topUp: TopUp): Promise<PaidTopUp | PaymentRefusal> {
  const quote = quoteFor(engine.prices, topUp.purchase)
  if (paymentMethods(engine.settings).length === 0)
    throw notSetUp(
      'Cannot top up',
      'this server has no way of paying by the Machine Payments Protocol',
      'set CARREL_TEMPO_RECIPIENT, or CARREL_STRIPE_KEY and CARREL_STRIPE_PROFILE',
    )
  const library = await loadPaymentLibrary()
  const challenge = issuedChallenge(engine, library, topUp, quote)
  if (!challenge) return askOrTake(engine, library, topUp, quote)
  return engine.locks.run(`mpp:${challenge.id}`, async () => {
    const known = await findPayment(engine.db, challenge.id)
    const paid = known && (await settlePayment(engine, library, known))
    if (paid) return paid
    const outcome = await askOrTake(engine, library, topUp, quote)
    // Its transfer may be on its way, whatever is said to a second one: who were asked to pay now would pay twice.
    return known?.state === 'pending' && 'challenges' in outcome ? unknownRefusal(library) : outcome
  })
}

/** What a challenge is for. The client cannot change it: whom and how much to credit is read from here alone. */
function metaOf({ accountId }: TopUp, { amountCents, bonusMicros }: Quote): Record<string, string> {
  return { account: accountId, cents: String(amountCents), bonus: String(bonusMicros) }
}

/**
 * The challenge that a credential answers, expired or not, when this server issued it for this purchase of this
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
    // The library says what is wrong with it.
    return undefined
  }
}

async function askOrTake(
  engine: MoneyContext,
  library: PaymentLibrary,
  topUp: TopUp,
  quote: Quote,
): Promise<PaidTopUp | PaymentRefusal> {
  const { Mppx, Receipt } = library
  const { realm, secret: secretKey } = engine.machinePayments
  const ways = new Set(paymentMethods(engine.settings))
  const desk = Mppx.create({
    realm,
    secretKey,
    methods: [
      ...(ways.has('tempo') ? [tempoMethod(engine, library).server] : []),
      ...(ways.has('stripe') ? [stripeMethod(engine, library)] : []),
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
    ...(ways.has('tempo') ? [['tempo/charge', offer]] : []),
    ...(ways.has('stripe') && isForStripe(quote.amountCents)
      ? [['stripe/charge', { ...offer, paymentIntentOptions }]]
      : []),
  ]
  if (offers.length === 0) throw tooLittle()
  const { credential, accepts } = topUp
  const request = new Request(`${engine.server.origin()}/topup`, {
    method: 'POST',
    headers: {
      ...(credential === undefined ? {} : { authorization: credential }),
      ...(accepts === undefined ? {} : { 'accept-payment': accepts }),
    },
  })
  const result = await desk.compose(...(offers as Parameters<typeof desk.compose>))(request)
  if (result.status === 402) return readRefusal(library, result.challenge)
  const receipt = result.withReceipt(new Response()).headers.get('payment-receipt')!
  const { method, reference } = Receipt.deserialize(receipt)
  const challenge = answeredChallenge(library, credential!)
  return creditPayment(engine, { method: method as PaymentMethod, reference, challenge, receipt })
}

/** Without a way to pay, the library would have nothing to ask for. */
function tooLittle(): CarrelError {
  const least = limits.stripeMinimumCents
  return new CarrelError(
    'invalid_request',
    `Cannot top up: Stripe, the only way to pay here, takes nothing below ${least} cents`,
    {
      details: { field: 'amountCents', minimum: least },
    },
  )
}

/** So that what was signed for something else buys nothing. */
const scope = 'topup'
