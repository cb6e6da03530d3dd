import type { Settings } from '../../config/settings.ts'

export type PaymentMethod = 'tempo'

/** The ways to pay that the operator has set up. */
export function paymentMethods({ tempoRecipient }: Settings): PaymentMethod[] {
  return tempoRecipient === undefined ? [] : ['tempo']
}
