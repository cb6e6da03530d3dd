import { isDeepStrictEqual } from 'node:util'
import { CarrelError } from '../../errors.ts'
import type { Engine } from '../engine.ts'
import { quoteFor, type Purchase, type Quote } from '../ledger/top-up.ts'
import { creditPayment, type PaidTopUp } from './credit-payment.ts'
import { paymentMethods } from './payment-methods.ts'
import { answeredChallenge, loadPaymentLibrary, type Challenge, type PaymentLibrary } from './payment-library.ts'
import { findPayment } from './payment-records.ts'
import { readRefusal, type PaymentRefusal } from './payment-refusal.ts'
import { settlePayment } from './settle-payment.ts'
import { tempoMethod } from './tempo-method.ts'

export interface TopUp {
  accountId: string
  purchase: Purchase
  /** `Authorization: Payment …`; undefined when nothing was paid yet. */
  credential?: string | undefined
  /** What the client can pay by (`Accept-Payment`). */
  accepts?: string | undefined
}

/**
 * Takes a payment by the Machine Payments Protocol and credits it. Without a credential, or with one that is not taken, the answer
 * is a refusal with a challenge for each way to pay. The same credential again gets the same answer and moves nothing. Rejects
 * with `invalid_request` what cannot be bought, with `not_set_up` where the operator takes no payments.
 */
export async function takeTopUp(engine: Engine, topUp: TopUp): Promise<PaidTopUp | PaymentRefusal> {
  const quote = quoteFor(engine.prices, topUp.purchase)
  if (paymentMethods(engine.settings).length === 0) throw notSetUp()
  const library = await loadPaymentLibrary()
  const challenge = issuedChallenge(engine, library, topUp, quote)
  if (!challenge) return askOrTake(engine, library, topUp, quote)
  return engine.locks.run(`mpp:${challenge.id}`, async () => {
    const known = await findPayment(engine.db, challenge.id)
    const paid = known && (await settlePayment(engine, library, known))
    return paid ?? askOrTake(engine, library, topUp, quote)
  })
}

/** What a challenge is for. The client cannot change it: whom and how much to credit is read from here alone. */
function metaOf({ accountId }: TopUp, { amountCents, bonusMicros }: Quote): Record<string, string> {
  return { account: accountId, cents: String(amountCents), bonus: String(bonusMicros) }
}

/** The challenge that a credential answers, expired or not, when this server issued it for this purchase of this account. */
function issuedChallenge(engine: Engine, library: PaymentLibrary, topUp: TopUp, quote: Quote): Challenge | undefined {
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
  engine: Engine,
  library: PaymentLibrary,
  topUp: TopUp,
  quote: Quote,
): Promise<PaidTopUp | PaymentRefusal> {
  const { Mppx, Receipt } = library
  const { realm, secret: secretKey } = engine.machinePayments
  const { server: tempo } = tempoMethod(engine, library)
  const desk = Mppx.create({ realm, secretKey, methods: [tempo] })
  const offer = {
    amount: (quote.amountCents / 100).toFixed(2),
    description: `Carrel credit of $${quote.creditMicros / 1_000_000}`,
    meta: metaOf(topUp, quote),
    scope,
  }
  const { credential, accepts } = topUp
  const request = new Request(`${engine.origin()}/topup`, {
    method: 'POST',
    headers: {
      ...(credential === undefined ? {} : { authorization: credential }),
      ...(accepts === undefined ? {} : { 'accept-payment': accepts }),
    },
  })
  const result = await desk.compose(['tempo/charge', offer])(request)
  if (result.status === 402) return readRefusal(library, result.challenge)
  const receipt = result.withReceipt(new Response()).headers.get('payment-receipt')!
  const { method, reference } = Receipt.deserialize(receipt)
  const challenge = answeredChallenge(library, credential!)
  return creditPayment(engine, { method: method as 'tempo', reference, challenge, receipt })
}

function notSetUp(): CarrelError {
  return new CarrelError('not_set_up', 'Cannot top up: this server has no way of paying; set CARREL_TEMPO_RECIPIENT', {
    details: { settings: ['CARREL_TEMPO_RECIPIENT'] },
  })
}

/** So that what was signed for something else buys nothing. */
const scope = 'topup'
