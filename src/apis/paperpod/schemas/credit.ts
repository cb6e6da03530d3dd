import { Type } from 'typebox'
import { dollars, object, pageOrJson } from '../../schema.ts'
import { text } from './shared.ts'

export const balanceAnswer = object({
  creditsRemaining: dollars(),
  creditsRemainingUsdc: Type.String({ description: 'The same with six decimals' }),
  tokenExpiresAt: Type.Optional(Type.String({ description: 'When the token that asks ends' })),
})

const offerAnswer = object({
  tiers: Type.Array(
    object({
      tier: Type.String(),
      amountCents: Type.Integer({ description: 'What it costs' }),
      creditsAdded: dollars('The bonus included'),
      bonusPercent: Type.Number(),
      computeHours: Type.Optional(
        Type.Integer({ description: 'For which it pays, about; left out where compute costs nothing' }),
      ),
    }),
  ),
  customAmount: object({ minimumCents: Type.Integer(), maximumCents: Type.Integer() }),
  paymentMethodsAccepted: Type.Array(Type.String(), { description: 'By POST /topup: tempo, stripe' }),
  checkout: Type.Boolean({ description: 'True when a person can pay on a page' }),
  agentInstruction: Type.String(),
})

export const offerAnswers = pageOrJson('A page', offerAnswer)

export const topUpBody = object({
  tier: Type.Optional(text('Credit package, by its name', { maxLength: 100, minLength: 1 })),
  amountCents: Type.Optional(
    Type.Number({
      description: 'Custom amount in whole cents, instead of a package; GET /topup says from how many to how many',
    }),
  ),
})

export const topUpAnswer = object({
  success: Type.Boolean(),
  amountCents: Type.Integer({ description: 'What was paid' }),
  creditsAdded: dollars('The bonus included'),
  creditsRemaining: dollars(),
  paymentMethodsAccepted: Type.Array(Type.String(), { description: 'tempo, stripe' }),
})
