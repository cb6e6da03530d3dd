import { limits } from '../../../config/limits.ts'
import type { Purchase } from '../ledger/top-up.ts'
import { paymentUnknown, type PaymentLibrary } from './payment-library.ts'
import type { MoneyContext } from '../money.ts'

/** Returns whether Stripe accepts an amount of this size. */
export function isForStripe(amountCents: number): boolean {
  return amountCents >= limits.stripeMinimumCents
}

/** Returns what Stripe stores with the payment, so that an event can credit it when the answer is lost. */
export function stripeMetadata(accountId: string, { tier, amountCents }: Purchase): Record<string, string> {
  return {
    carrel_account: accountId,
    ...(tier === undefined ? { carrel_cents: String(amountCents) } : { carrel_tier: tier }),
  }
}

/** Returns the method to pay by a token that the client's wallet grants to the operator's profile at Stripe. */
export function stripeMethod(
  { log, settings, stripe }: Pick<MoneyContext, 'settings' | 'log' | 'stripe'>,
  library: PaymentLibrary,
) {
  const { Errors, stripeServer } = library
  /**
   * For Stripe, the same challenge and token are the same payment. The library would take Stripe's answer to a repetition
   * for a second use.
   */
  const paymentIntents = {
    async create(...request: unknown[]) {
      try {
        const { id, status } = await stripe!.client.paymentIntents.create(...(request as [never, never]))
        if (status === 'canceled' || status === 'requires_payment_method') throw new Error('the payment was declined')
        return { id, status }
      } catch (error) {
        const { type = 'none' } = error as { type?: string }
        if (refusals.has(type)) throw error
        log.error({ err: error }, 'Stripe did not report the outcome of a payment')
        if (faults.has(type)) throw new Error('this server cannot take payments by Stripe now', { cause: error })
        return { id: '', status: 'unknown' }
      }
    },
  }
  const { verify, ...method } = stripeServer.charge({
    client: { paymentIntents },
    currency: 'usd',
    decimals: 2,
    networkId: settings.stripeProfile!,
    paymentMethodTypes: ['card', 'link'],
  })
  return {
    ...method,
    async verify(context: Parameters<typeof verify>[0]) {
      try {
        return await verify(context)
      } catch (error) {
        // A status that is neither success nor refusal: the money can still arrive, and Stripe's event reports it.
        throw error instanceof Errors.PaymentError ? error : paymentUnknown(library)
      }
    },
  }
}

/** Types of Stripe's errors which mean that no money moved; `none` stands for our own error. */
const refusals = new Set(['StripeCardError', 'StripeInvalidRequestError', 'StripeRateLimitError', 'none'])
/** The same, for a reason that only the operator can remove. */
const faults = new Set(['StripeAuthenticationError', 'StripePermissionError'])
