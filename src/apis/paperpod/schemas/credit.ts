import { Type } from 'typebox'
import { dollars, object, pageOrJson } from '../../schema.ts'
import { text } from './shared.ts'

export const balanceAnswer = object({
  creditsRemaining: dollars(),
  creditsRemainingUsdc: Type.String({ description: 'creditsRemaining with six decimals' }),
  tokenExpiresAt: Type.Optional(Type.String({ description: 'When the token of this request expires' })),
})

const offerAnswer = object({
  tiers: Type.Array(
    object({
      tier: Type.String(),
      amountCents: Type.Integer({ description: 'The price, in US cents' }),
      creditsAdded: dollars('The credit added, including the bonus'),
      bonusPercent: Type.Number(),
      computeHours: Type.Optional(
        Type.Integer({
          description: 'About how many hours of compute the credit pays for; missing if compute is free',
        }),
      ),
    }),
  ),
  customAmount: object({ minimumCents: Type.Integer(), maximumCents: Type.Integer() }),
  paymentMethodsAccepted: Type.Array(Type.String(), { description: 'Payment methods of POST /topup: tempo, stripe' }),
  checkout: Type.Boolean({ description: 'True if users can pay on a page' }),
  agentInstruction: Type.String(),
})

export const offerAnswers = pageOrJson('A page', offerAnswer)

export const topUpBody = object({
  tier: Type.Optional(text('Credit package, by its name', { maxLength: 100, minLength: 1 })),
  amountCents: Type.Optional(
    Type.Number({
      description: 'Custom amount in whole cents, instead of a package; GET /topup returns the min and max amount',
    }),
  ),
})

export const topUpAnswer = object({
  success: Type.Boolean(),
  amountCents: Type.Integer({ description: 'The amount paid' }),
  creditsAdded: dollars('The credit added, including the bonus'),
  creditsRemaining: dollars(),
  paymentMethodsAccepted: Type.Array(Type.String(), { description: 'tempo, stripe' }),
})
