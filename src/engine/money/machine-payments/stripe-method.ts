import { limits } from '../../../config/limits.ts'
import type { Purchase } from '../ledger/top-up.ts'
import { paymentUnknown, type PaymentLibrary } from './payment-library.ts'
import type { MoneyContext } from '../money.ts'

/** Stripe takes nothing smaller. */
export function isForStripe(amountCents: number): boolean {
  return amountCents >= limits.stripeMinimumCents
}

/** What Stripe keeps with the payment, so that its event credits what an answer lost. */
export function stripeMetadata(accountId: string, { tier, amountCents }: Purchase): Record<string, string> {
  return {
    carrel_account: accountId,
    ...(tier === undefined ? { carrel_cents: String(amountCents) } : { carrel_tier: tier }),
  }
}

/** Payment by a token that the client's wallet grants to the operator's profile at Stripe. */
export function stripeMethod(
  { log, settings, stripe }: Pick<MoneyContext, 'settings' | 'log' | 'stripe'>,
  library: PaymentLibrary,
) {
  const { Errors, stripeServer } = library
  /**
   * The same challenge and token are the same payment to Stripe, whose answer the library takes for a second use the
   * next time.
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
        log.error({ err: error }, 'Stripe did not say what became of a payment')
        if (faults.has(type)) throw new Error('this server cannot take payments by Stripe just now', { cause: error })
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
        // A status that is neither success nor refusal: the money may still come, and Stripe's event tells of it.
        throw error instanceof Errors.PaymentError ? error : paymentUnknown(library)
      }
    },
  }
}

/** Types of Stripe's errors that say that no money moved; `none` is our own. */
const refusals = new Set(['StripeCardError', 'StripeInvalidRequestError', 'StripeRateLimitError', 'none'])
/** The same, for a reason that only the operator can mend. */
const faults = new Set(['StripeAuthenticationError', 'StripePermissionError'])
