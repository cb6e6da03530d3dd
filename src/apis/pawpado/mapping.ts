import type { Static } from 'typebox'
import type { Purchase } from '../../engine/money/ledger/top-up.ts'
import type { StartedPayment } from '../../engine/money/payments/start-payment.ts'
import { CarrelError } from '../../errors.ts'
import type { topUpAnswer } from './schemas.ts'

/** Returns what a request buys. Throws `invalid_request` unless it names either a tier or an amount. */
export function purchaseOf({ tier, amountCents }: { tier?: string; amountCents?: number }): Purchase {
  if (tier !== undefined && amountCents === undefined) return { tier }
  if (tier === undefined && amountCents !== undefined) return { amountCents }
  throw new CarrelError('invalid_request', 'Cannot top up: send either "tier" or "amountCents"', {
    details: { field: 'tier' },
  })
}

/** Returns the payment page that a client is sent to. */
export function checkoutOf({ id, url, quote }: StartedPayment): Static<typeof topUpAnswer> {
  return {
    checkoutUrl: url,
    paymentId: id,
    amountCents: quote.amountCents,
    creditsAdded: quote.creditMicros / 1_000_000,
    currency: 'usd',
  }
}
