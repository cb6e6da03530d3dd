import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { defaultPrices, type PriceBook } from '../../config/price-book.ts'
import { scopes } from '../../engine/identity/accounts/tokens.ts'
import { patterns } from '../../http/patterns.ts'
import { cents, nullableText, nullableTime, object, time } from '../schema.ts'

export const userAnswer = object({
  user_id: Type.String(),
  name: Type.String(),
  email: Type.String({ description: 'Empty if unknown' }),
  github_id: nullableText(),
  created_at: time(),
  last_login_at: nullableTime(),
  is_active: Type.Boolean({ description: 'False when the account is scheduled for deletion' }),
  delete_at: Type.Optional(time('When the account will be deleted; only if a deletion is scheduled')),
})

export const githubBody = object({
  code: Type.String({ description: 'Authorization code from GitHub OAuth', minLength: 1, maxLength: 1000 }),
  state: Type.Optional(
    Type.Union([Type.String({ maxLength: 1000 }), Type.Null()], {
      description: 'State parameter for CSRF protection; the client that made it compares it',
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
      description: 'Instead of token: the refresh token, if the sign-in returned one',
      maxLength: 4096,
      minLength: 1,
    }),
  ),
})
/** The first three fields answer `token`, the others `refresh_token`. */
export const refreshAnswer = object({
  token: Type.Optional(Type.String({ description: 'The new token, which is shown only once' })),
  expiresIn: Type.Optional(Type.Integer({ description: 'Seconds' })),
  userId: Type.Optional(Type.String()),
  access_token: Type.Optional(Type.String({ description: 'JWT' })),
  refresh_token: Type.Optional(
    Type.String({
      description: 'The next refresh token; the one that was sent works until this one is used',
    }),
  ),
  token_type: Type.Optional(Type.String()),
  expires_in: Type.Optional(Type.Integer({ description: 'Seconds' })),
})

const keyFields = {
  key_id: Type.String(),
  name: Type.String(),
  scopes: Type.Union([Type.Array(Type.String()), Type.Null()], { description: 'null means all scopes' }),
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
      description: 'compute: use computers; account: manage keys and the account. Default: the scopes of this token',
      minItems: 1,
      uniqueItems: true,
    }),
  ),
  expires_in: Type.Optional(
    Type.Integer({
      description: 'Seconds until the key expires; without it, the key does not expire',
      minimum: 1,
      maximum: limits.apiKeyLifeMs / 1000,
    }),
  ),
})
export const createKeyAnswer = object({
  ...keyFields,
  api_key: Type.String({ description: 'The secret, which is shown only once' }),
})
export const listKeysAnswer = object({ api_keys: Type.Array(object(keyFields)) })
export const revokeKeyBody = object({ key_id: Type.String({ description: 'The key to revoke', maxLength: 100 }) })
export const revokeKeyAnswer = object({ message: Type.String(), revoked_key_id: Type.String() })

export const balanceAnswer = object({
  user_id: Type.String(),
  balance: cents('The credit that is left, rounded down'),
  total_deposited: cents('The sum of all deposits'),
  total_spent: cents('The sum of all spending, rounded up'),
  stripe_customer_id: nullableText(
    'Always null: Stripe asks for the payer each time, and this server keeps no Stripe customer',
  ),
  last_updated: time('When the balance last changed'),
})

export const pricingAnswer = object({
  currency: Type.String(),
  minimum_deposit_cents: Type.Integer(),
  maximum_deposit_cents: Type.Integer(),
  new_account_cents: Type.Number({ description: 'The free credit of a new account' }),
  rates: Type.Array(
    object({
      meter: Type.String({ description: 'compute, browser, neurons, storage_hot or storage_cold' }),
      unit: Type.String({ description: 's, neurons or GiB-h' }),
      cents_per_unit: Type.Number(),
    }),
  ),
  cost_per_minute_cents: Type.Number({ description: 'What a session costs for each minute in which it is ready' }),
  cost_per_minute_dollars: Type.Number(),
  packages: Type.Array(object({ name: Type.String(), amount_cents: Type.Integer(), bonus_percent: Type.Integer() }), {
    description: 'Packages for POST /api/v1/credits/topup',
  }),
})

/** Returns the schema of a deposit. The operator configures the min and max amount. */
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
  checkout_url: Type.String({ description: 'The payment page' }),
  amount_cents: cents('Amount being deposited'),
  currency: Type.String(),
})

export const webhookBody = Type.Object(
  { id: Type.String(), type: Type.String() },
  { additionalProperties: true, description: 'An event as Stripe sends it' },
)
export const webhookAnswer = object({ received: Type.Boolean() })

const transactionType = Type.Enum(['deposit', 'session_usage', 'refund'])

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
  start_date: Type.Optional(
    Type.String({ description: 'Only transactions from this moment on; ISO 8601', maxLength: 40 }),
  ),
  end_date: Type.Optional(
    Type.String({ description: 'Only transactions before this moment; ISO 8601', maxLength: 40 }),
  ),
  transaction_types: Type.Optional(
    Type.Union([transactionType, Type.Array(transactionType, { maxItems: 3 })], {
      description: 'Only transactions of this type; may be repeated',
    }),
  ),
  after: Type.Optional(
    Type.String({
      description: 'Instead of page: the "next" of the previous page',
      maxLength: 400,
    }),
  ),
})
export const usageAnswer = object({
  current_balance_cents: cents('The credit that is left, rounded down'),
  total_deposits_cents: cents('The sum of all deposits'),
  total_usage_cents: cents('The sum of all spending, rounded up'),
  page: Type.Integer(),
  limit: Type.Integer(),
  total_count: Type.Integer({ description: 'Items on all pages' }),
  has_more: Type.Boolean(),
  next: nullableText('The "after" of the next page; null on the last page'),
  items: Type.Array(
    object({
      meter: Type.String({ description: 'compute, browser, neurons, storage_hot or storage_cold' }),
      quantity: Type.Number(),
      unit: Type.String({ description: 's, neurons or GiB-h' }),
      amount_cents: Type.Number({ description: 'The cost, in cents and fractions of a cent' }),
      computer_id: Type.String({ description: 'Empty for usage without a computer' }),
      started_at: time(),
      ended_at: time(),
    }),
    { description: 'Newest first' },
  ),
  transactions: Type.Array(
    object({
      id: Type.String(),
      type: transactionType,
      amount_cents: Type.Number({ description: 'In cents and fractions of a cent; what a session has cost so far' }),
      description: Type.String(),
      created_at: time('When the session was ready, or the money was moved'),
      session_id: nullableText(),
      duration_minutes: Type.Union([Type.Number(), Type.Null()]),
    }),
    { description: 'Deposits, refunds and sessions, newest first: the page of this number among them' },
  ),
  summary: object({
    total_sessions: Type.Integer(),
    average_session_cost_cents: Type.Number(),
    total_session_duration_minutes: Type.Number(),
  }),
  pagination: object({
    current_page: Type.Integer(),
    total_pages: Type.Integer(),
    total_items: Type.Integer({ description: 'Transactions on all pages' }),
    items_per_page: Type.Integer(),
    has_previous: Type.Boolean(),
    has_next: Type.Boolean(),
  }),
})
