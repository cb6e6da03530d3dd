import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { patterns } from '../../http/patterns.ts'
import { themes } from '../../engine/identity/accounts/user-settings.ts'
import { dollars, nullableTime, object, time } from '../schema.ts'

const currency = Type.String({ description: 'USD' })

export const healthAnswer = object({ status: Type.String({ description: 'ok' }) })

export const creditsAnswer = object({
  balance: Type.Number({ description: 'What is left, with what runs and is not charged yet taken off' }),
  currency,
  storageUsedBytes: Type.Integer({ description: 'On the disks of all computers, and in memory' }),
})

export const storageAnswer = object({
  tier: Type.Enum(['included', 'metered'], { description: 'included: storage costs nothing on this server' }),
  currency,
  pricePerGibHour: Type.Number({ description: 'Of a computer that runs' }),
  pricePerGibHourStopped: Type.Number({ description: 'Of one that is stopped' }),
  storageUsedBytes: Type.Integer({ description: 'Now' }),
  gibHours: Type.Number({ description: 'Since the period began, up to the last hour' }),
  amount: Type.Number({ description: 'What these cost' }),
  billingPeriodStart: time('The first of the month'),
  billingPeriodEnd: time('The first of the next month'),
})

const settingsFields = {
  displayName: Type.String({
    description: 'How the person is called; one line',
    minLength: 1,
    maxLength: limits.nameLength,
    pattern: patterns.name.source,
  }),
  locale: Type.String({ description: 'Language tag (BCP 47), such as en or de-AT', minLength: 1, maxLength: 35 }),
  timezone: Type.String({
    description: 'Name in the time zone database, such as Asia/Jakarta',
    minLength: 1,
    maxLength: 64,
  }),
  theme: Type.Enum([...themes], { description: 'Of a page that shows the account' }),
}
export const settingsAnswer = object(settingsFields)
export const settingsBody = Type.Partial(object(settingsFields), { additionalProperties: false })

export const sessionAnswer = object({
  huudisUserId: Type.String({ description: 'The "sub" of the issuer that the person signs in by; else the user id' }),
  userId: Type.String(),
  accountId: Type.String({ description: 'The workspace that the token is for' }),
  name: Type.String(),
  email: Type.String({ description: 'Empty when none is known' }),
  expiresAt: nullableTime('When the token ends; null for never'),
  deleteAt: nullableTime('When everything of the person goes; null when that is not scheduled'),
})

export const deletionAnswer = object({
  deleteAt: nullableTime('When everything goes; null when the account stays'),
  message: Type.String(),
})

export const topUpBody = object({
  tier: Type.Optional(
    Type.String({
      description: 'Credit package: micro, starter, pro or scale, unless the operator has others',
      maxLength: 100,
    }),
  ),
  amountCents: Type.Optional(
    Type.Integer({ description: 'Custom amount in cents; at least 100 unless the operator says otherwise' }),
  ),
})

export const topUpAnswer = object({
  checkoutUrl: Type.String({ description: 'Where a person pays' }),
  paymentId: Type.String(),
  amountCents: Type.Integer({ description: 'To be paid, in cents' }),
  creditsAdded: dollars('What that gives, the bonus included'),
  currency: Type.String(),
})
