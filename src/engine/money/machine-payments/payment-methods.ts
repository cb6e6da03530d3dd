import type { Settings } from '../../../config/settings.ts'

export type PaymentMethod = 'tempo' | 'stripe'

/** The ways to pay that the operator has set up. */
export function paymentMethods({ tempoRecipient, stripeKey, stripeProfile }: Settings): PaymentMethod[] {
  return [
    ...(tempoRecipient === undefined ? [] : (['tempo'] as const)),
    ...(stripeKey === undefined || stripeProfile === undefined ? [] : (['stripe'] as const)),
  ]
}
