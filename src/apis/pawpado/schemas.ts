import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { patterns } from '../../http/patterns.ts'
import { themes } from '../../engine/identity/accounts/user-settings.ts'
import { dollars, nullableTime, object, time } from '../schema.ts'

const currency = Type.String({ description: 'USD' })

export const healthAnswer = object({ status: Type.String({ description: 'ok' }) })

export const creditsAnswer = object({
  balance: Type.Number({ description: 'The credit that is left, less usage in progress that is not charged yet' }),
  currency,
  storageUsedBytes: Type.Integer({ description: 'On the disks of all computers and in Agent Memory' }),
})

export const storageAnswer = object({
  tier: Type.Enum(['included', 'metered'], { description: 'included: storage costs nothing on this server' }),
  currency,
  pricePerGibHour: Type.Number({ description: 'For a running computer' }),
  pricePerGibHourStopped: Type.Number({ description: 'For a stopped computer' }),
  storageUsedBytes: Type.Integer({ description: 'At the time of the request' }),
  gibHours: Type.Number({ description: 'Since the start of the period, up to the last full hour' }),
  amount: Type.Number({ description: 'The cost of gibHours' }),
  billingPeriodStart: time('The first of the month'),
  billingPeriodEnd: time('The first of the next month'),
})

const settingsFields = {
  displayName: Type.String({
    description: 'The name of the user; one line',
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
  theme: Type.Enum([...themes], { description: 'The theme of pages that show the account' }),
}
export const settingsAnswer = object(settingsFields)
export const settingsBody = Type.Partial(object(settingsFields), { additionalProperties: false })

export const sessionAnswer = object({
  huudisUserId: Type.String({
    description: 'The "sub" from the issuer that the user signs in with; without an issuer, the user id',
  }),
  userId: Type.String(),
  accountId: Type.String({ description: 'The workspace of the token' }),
  name: Type.String(),
  email: Type.String({ description: 'Empty if unknown' }),
  expiresAt: nullableTime('When the token expires; null if it does not'),
  deleteAt: nullableTime('When the user and all their data will be deleted; null if no deletion is scheduled'),
})

export const deletionAnswer = object({
  deleteAt: nullableTime('When the account will be deleted; null if no deletion is scheduled'),
  message: Type.String(),
})

export const topUpBody = object({
  tier: Type.Optional(
    Type.String({
      description: 'Credit package: micro, starter, pro or scale, unless the operator configures others',
      maxLength: 100,
    }),
  ),
  amountCents: Type.Optional(
    Type.Integer({
      description: 'Custom amount in cents; at least 100 unless the operator configures another minimum',
    }),
  ),
})

export const topUpAnswer = object({
  checkoutUrl: Type.String({ description: 'The payment page' }),
  paymentId: Type.String(),
  amountCents: Type.Integer({ description: 'The amount to pay, in cents' }),
  creditsAdded: dollars('The credit added, including the bonus'),
  currency: Type.String(),
})
