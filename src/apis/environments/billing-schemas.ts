import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { defaultPrices, type PriceBook } from '../../config/price-book.ts'
import { patterns } from '../../http/patterns.ts'
import { object } from '../schema.ts'

const cents = (description: string) => Type.Integer({ description: `${description}, in cents` })

export const balanceAnswer = object({
  user_id: Type.String(),
  balance: cents('What is left, rounded down'),
  total_deposited: cents('All that was ever deposited'),
  total_spent: cents('All that was ever spent, rounded up'),
  stripe_customer_id: Type.Union([Type.String(), Type.Null()], {
    description: 'Always null: Stripe asks who pays each time, and nothing of it is kept here',
  }),
  last_updated: Type.String({ description: 'When the balance last changed; UTC, ISO 8601' }),
})

export const pricingAnswer = object({
  currency: Type.String(),
  minimum_deposit_cents: Type.Integer(),
  maximum_deposit_cents: Type.Integer(),
  new_account_cents: Type.Number({ description: 'What a new account is given' }),
  rates: Type.Array(
    object({
      meter: Type.String({ description: 'compute, browser, neurons, storage_hot or storage_cold' }),
      unit: Type.String({ description: 's, neurons or GiB-h' }),
      cents_per_unit: Type.Number(),
    }),
  ),
  packages: Type.Array(object({ name: Type.String(), amount_cents: Type.Integer(), bonus_percent: Type.Integer() }), {
    description: 'By POST /api/v1/credits/topup',
  }),
})

/** What can be deposited at least and at most is the operator's. */
export function depositBody({ minimumDepositCents, maximumTopUpCents }: PriceBook = defaultPrices) {
  return object({
    amount_cents: Type.Integer({
      description: 'Amount to deposit in cents',
      minimum: minimumDepositCents,
      maximum: maximumTopUpCents,
    }),
    currency: Type.Optional(
      Type.String({
        description: 'Currency for payment: US dollars',
        default: 'usd',
        pattern: patterns.usDollars.source,
      }),
    ),
  })
}
export const depositAnswer = object({
  checkout_url: Type.String({ description: 'Where a person pays' }),
  amount_cents: cents('Amount being deposited'),
  currency: Type.String(),
})

export const webhookBody = Type.Object(
  { id: Type.String(), type: Type.String() },
  { additionalProperties: true, description: 'An event as Stripe sends it' },
)
export const webhookAnswer = object({ received: Type.Boolean() })

export const usageQuery = object({
  page: Type.Optional(
    Type.String({ description: 'Page number (1-based); 1 by default', pattern: patterns.page.source }),
  ),
  limit: Type.Optional(
    Type.String({
      description: `Items per page, at most ${limits.usageHistoryLines}; 25 by default`,
      pattern: patterns.usageHistoryLines.source,
    }),
  ),
  after: Type.Optional(
    Type.String({
      description: 'The page behind the one whose "next" this was, instead of its number',
      maxLength: 400,
    }),
  ),
})
export const usageAnswer = object({
  current_balance_cents: cents('What is left, rounded down'),
  total_deposits_cents: cents('All that was ever deposited'),
  total_usage_cents: cents('All that was ever spent, rounded up'),
  page: Type.Integer(),
  limit: Type.Integer(),
  total_count: Type.Integer({ description: 'Items on all pages' }),
  has_more: Type.Boolean(),
  next: Type.Union([Type.String(), Type.Null()], { description: 'For "after"; null on the last page' }),
  items: Type.Array(
    object({
      meter: Type.String({ description: 'compute, browser, neurons, storage_hot or storage_cold' }),
      quantity: Type.Number(),
      unit: Type.String({ description: 's, neurons or GiB-h' }),
      amount_cents: Type.Number({ description: 'What it cost, in cents and parts of them' }),
      computer_id: Type.String({ description: 'Empty for what no computer used' }),
      started_at: Type.String({ description: 'UTC, ISO 8601' }),
      ended_at: Type.String({ description: 'UTC, ISO 8601' }),
    }),
    { description: 'The newest first' },
  ),
})
