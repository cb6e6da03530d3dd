import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { defaultPrices, type PriceBook } from '../../config/price-book.ts'
import { scopes } from '../../engine/identity/accounts/tokens.ts'
import { patterns } from '../../http/patterns.ts'
import { cents, nullableText, nullableTime, object, time } from '../schema.ts'

export const userAnswer = object({
  user_id: Type.String(),
  name: Type.String(),
  email: Type.String({ description: 'Empty when none is known' }),
  github_id: nullableText(),
  created_at: time(),
  last_login_at: nullableTime(),
  is_active: Type.Boolean({ description: 'False when the account is scheduled for deletion' }),
  delete_at: Type.Optional(time('Then, when everything goes')),
})

export const githubBody = object({
  code: Type.String({ description: 'Authorization code from GitHub OAuth', minLength: 1, maxLength: 1000 }),
  state: Type.Optional(
    Type.Union([Type.String({ maxLength: 1000 }), Type.Null()], {
      description: 'State parameter for CSRF protection; whoever made it compares it',
    }),
  ),
})
export const githubAnswer = object({
  user_id: Type.String(),
  access_token: Type.String({ description: 'JWT' }),
  refresh_token: Type.String({ description: 'JWT, for POST /auth/refresh' }),
  token_type: Type.String(),
  expires_in: Type.Integer({ description: 'Seconds' }),
  is_new_user: Type.Boolean(),
})

export const refreshBody = object({
  token: Type.Optional(
    Type.String({ description: 'Your current token (must still be valid)', maxLength: 4096, minLength: 1 }),
  ),
  refresh_token: Type.Optional(
    Type.String({
      description: 'The refresh token, of a sign-in that gave one, instead',
      maxLength: 4096,
      minLength: 1,
    }),
  ),
})
/** The first three for `token`, the others for `refresh_token`. */
export const refreshAnswer = object({
  token: Type.Optional(Type.String({ description: 'The new token, which is shown this once' })),
  expiresIn: Type.Optional(Type.Integer({ description: 'Seconds' })),
  userId: Type.Optional(Type.String()),
  access_token: Type.Optional(Type.String({ description: 'JWT' })),
  refresh_token: Type.Optional(
    Type.String({
      description: 'For the next time, instead of the one that was sent, which ends when this one is used',
    }),
  ),
  token_type: Type.Optional(Type.String()),
  expires_in: Type.Optional(Type.Integer({ description: 'Seconds' })),
})

const keyFields = {
  key_id: Type.String(),
  name: Type.String(),
  scopes: Type.Union([Type.Array(Type.String()), Type.Null()], { description: 'null is everything' }),
  created_at: time(),
  last_used_at: nullableTime(),
  expires_at: nullableTime(),
}

export const createKeyBody = object({
  name: Type.Optional(
    Type.Union([Type.String({ maxLength: limits.apiKeyNameLength, pattern: patterns.name.source }), Type.Null()], {
      description: 'What the key is for; one line',
    }),
  ),
  scopes: Type.Optional(
    Type.Array(Type.Enum([...scopes]), {
      description: 'compute: use computers; account: manage keys and the account. Default: all that this token may do',
      minItems: 1,
      uniqueItems: true,
    }),
  ),
  expires_in: Type.Optional(
    Type.Integer({
      description: 'Seconds until it ends; without it, it does not',
      minimum: 1,
      maximum: limits.apiKeyLifeMs / 1000,
    }),
  ),
})
export const createKeyAnswer = object({
  ...keyFields,
  api_key: Type.String({ description: 'The secret, which is told this once' }),
})
export const listKeysAnswer = object({ api_keys: Type.Array(object(keyFields)) })
export const revokeKeyBody = object({ key_id: Type.String({ description: 'The key to revoke', maxLength: 100 }) })
export const revokeKeyAnswer = object({ message: Type.String(), revoked_key_id: Type.String() })

export const balanceAnswer = object({
  user_id: Type.String(),
  balance: cents('What is left, rounded down'),
  total_deposited: cents('All that was ever deposited'),
  total_spent: cents('All that was ever spent, rounded up'),
  stripe_customer_id: nullableText('Always null: Stripe asks who pays each time, and nothing of it is kept here'),
  last_updated: time('When the balance last changed'),
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
  next: nullableText('For "after"; null on the last page'),
  items: Type.Array(
    object({
      meter: Type.String({ description: 'compute, browser, neurons, storage_hot or storage_cold' }),
      quantity: Type.Number(),
      unit: Type.String({ description: 's, neurons or GiB-h' }),
      amount_cents: Type.Number({ description: 'What it cost, in cents and parts of them' }),
      computer_id: Type.String({ description: 'Empty for what no computer used' }),
      started_at: time(),
      ended_at: time(),
    }),
    { description: 'The newest first' },
  ),
})
