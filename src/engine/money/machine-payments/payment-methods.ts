import type { Settings } from '../../../config/settings.ts'

export type PaymentMethod = 'tempo' | 'stripe'

/** Returns the payment methods that are configured. */
export function paymentMethods({ tempoRecipient, stripeKey, stripeProfile }: Settings): PaymentMethod[] {
  return [
    ...(tempoRecipient === undefined ? [] : (['tempo'] as const)),
    ...(stripeKey === undefined || stripeProfile === undefined ? [] : (['stripe'] as const)),
  ]
}
