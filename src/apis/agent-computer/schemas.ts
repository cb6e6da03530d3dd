import { Type, type TSchema } from 'typebox'
import { limits } from '../../config/limits.ts'
import { patterns } from '../../http/patterns.ts'
import { resourceLimits } from './computer-schemas.ts'
import { cents, dollars, nullable, nullableText, object, time } from '../schema.ts'

const autoReload = object({
  enabled: Type.Boolean({ description: 'Always false: this server never tops up by itself' }),
  balance_threshold_cents: cents('The balance below which a reload would start'),
  reload_amount_cents: cents('The amount that a reload would add'),
  monthly_spend_limit_cents: cents('The monthly spending limit of the workspace; 0 means no limit'),
  monthly_reload_limit: Type.Integer({ description: 'The max number of reloads in a month' }),
})

const computerPlan = object({
  feature_id: Type.String({ description: 'computers' }),
  access_status: Type.Enum(['active', 'inactive', 'unavailable'], {
    description: 'inactive: there is no credit left to run a computer',
  }),
  access_message: nullableText('Why access is not active'),
  credit_balance: Type.Number({ description: 'The credit that is left, in US cents and fractions of a cent' }),
  low_balance: Type.Boolean({ description: 'Whether the credit is low' }),
  auto_reload: autoReload,
  resource_limits: resourceLimits,
})

export const meAnswer = object({
  id: Type.String(),
  clerk_user_id: Type.String({ description: 'The same as id' }),
  primary_email: Type.String({ description: 'Empty if unknown' }),
  display_name: Type.String(),
  auth_method: Type.Enum(['session', 'api_key'], { description: 'The kind of the token of this request' }),
  clerk_api_key_id: nullableText('The API key of this request; null for a sign-in'),
  active_org_id: nullableText("The workspace of the token; null for the user's personal workspace"),
  active_org_role: nullableText('The role of the user in that workspace: owner, admin or member'),
  active_org_slug: nullableText('Always null: workspaces have a name and an id, but no slug'),
  computer_plan: computerPlan,
  name: Type.String({ description: 'The same as display_name' }),
  email: Type.String({ description: 'The same as primary_email' }),
  workspace_id: Type.String({ description: 'The workspace of the token' }),
  created_at: time(),
  delete_at: Type.Optional(time('When the account will be deleted; only if a deletion is scheduled')),
})

const limitCents = (description: string) =>
  Type.Optional(nullable(Type.Integer({ minimum: 0, maximum: limits.spendingLimitCents }), { description }))
const changes = {
  daily_limit_cents: limitCents('The daily spending limit (UTC), in US cents; null means no limit'),
  monthly_limit_cents: limitCents('The monthly spending limit (UTC), in US cents; null means no limit'),
}
/** Preferences of the service's document that this server has, too, or cannot have. */
const reloads = {
  monthly_spend_limit_cents: limitCents('The same as monthly_limit_cents; 0 means no limit'),
  auto_reload_enabled: Type.Optional(Type.Boolean({ description: 'Only false: this server never tops up by itself' })),
  balance_threshold_cents: limitCents('Without effect, as nothing is reloaded'),
  reload_amount_cents: limitCents('Without effect, as nothing is reloaded'),
}
export const preferencesBody = Type.Object(
  {
    ...changes,
    ...reloads,
    keys: Type.Optional(
      Type.Array(
        Type.Object(
          { key_id: Type.String({ description: 'An API key of the workspace', maxLength: 100 }), ...changes },
          { additionalProperties: false },
        ),
        { description: 'Limits of API keys', maxItems: limits.apiKeysPerAccount },
      ),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
)

const limitFields = {
  daily_limit_cents: nullable(Type.Number(), { description: 'null means no limit' }),
  daily_spent_cents: nullable(Type.Number(), { description: 'null if there is no limit' }),
  monthly_limit_cents: nullable(Type.Number()),
  monthly_spent_cents: nullable(Type.Number()),
}
export const preferencesAnswer = Type.Object(
  {
    workspace_id: Type.String(),
    ...limitFields,
    auto_reload: autoReload,
    keys: Type.Array(
      Type.Object({ key_id: Type.String(), name: Type.String(), ...limitFields }, { additionalProperties: false }),
      { description: 'API keys that have a limit' },
    ),
  },
  { additionalProperties: false },
)

const line = Type.Object({
  of: Type.String({ description: 'The day, or the id of the computer or token; empty if unknown' }),
  name: Type.Optional(Type.String({ description: 'The name of the computer or token; empty for the default sandbox' })),
  rest: Type.Optional(
    Type.Boolean({
      description: `True for the line that adds up everything without a line of its own: all but the ${limits.usageReportLines} most expensive, or all but the first ${limits.usageLinesPerDay} of a day`,
    }),
  ),
  meter: Type.String({ description: 'compute, browser, neurons, storage_hot or storage_cold' }),
  quantity: Type.Number(),
  unit: Type.String({ description: 's, neurons or GiB-h' }),
  amountMicros: Type.Integer({ description: 'The cost; 1,000,000 is one US dollar' }),
})
const lines = Type.Array(line)

export const usageQuery = Type.Object(
  {
    days: Type.Optional(
      Type.String({
        description: 'The number of days up to and including today, in UTC; 30 by default',
        pattern: patterns.days.source,
      }),
    ),
  },
  { additionalProperties: false },
)

const limit = Type.Object({
  keyId: Type.Optional(
    Type.String({ description: 'The API key that has the limit; if missing, the limit is that of the workspace' }),
  ),
  name: Type.Optional(Type.String({ description: 'The name of the key' })),
  period: Type.String({ description: 'day or month, in UTC' }),
  limitMicros: Type.Integer(),
  spentMicros: Type.Integer(),
  resetsAt: Type.String(),
})

const usedBytes = (description: string) => Type.Integer({ description, minimum: 0 })

const accountUsage = object({
  runtime_seconds: Type.Number({ description: 'Compute, over the time of the report' }),
  storage_bytes: usedBytes('On the disks of all computers and in Agent Memory, now'),
  snapshot_storage_bytes: usedBytes('In snapshots, now; what several share counts once'),
  updated_at: time('The end of the last interval that was recorded'),
})

export const computerUsageAnswer = object({
  usage: object({
    runtime_seconds: Type.Number({ description: 'How long the computer has run since it was created' }),
    cpu_hours: Type.Number({ description: 'Processor time that was used, as the kernel counts it' }),
    ram_gib_hours: Type.Number({ description: 'Its memory times how long it ran with it' }),
    hot_storage_bytes: usedBytes('On its disk, while it runs; 0 while it is stopped'),
    cold_storage_bytes: usedBytes('On its disk, while it is stopped; 0 while it runs'),
    updated_at: time('The end of the last interval that was recorded'),
  }),
})

export const usageAnswer = Type.Object({
  usage: accountUsage,
  from: Type.String(),
  to: Type.String(),
  creditsRemaining: dollars(),
  billed: Type.Boolean({ description: 'False for an account whose usage is shown but not charged' }),
  totals: lines,
  byDay: lines,
  byComputer: lines,
  byKey: lines,
  byLabel: lines,
  limits: Type.Array(limit, { description: 'Spending limits, with the amount spent' }),
})

const uptimeStatus = Type.Enum(['operational', 'degraded', 'down', 'unknown'])
const bySlug = <T extends TSchema>(value: T, description: string) => Type.Record(Type.String(), value, { description })

export const uptimeAnswer = object({
  checked_at: time('The last check'),
  services: Type.Array(
    object({
      slug: Type.String({ description: 'The name under which the histories are found' }),
      name: Type.String(),
      status: uptimeStatus,
      response_ms: Type.Integer({
        description: 'How long the last check took; 0 if the status is unknown',
        minimum: 0,
      }),
    }),
  ),
  history: bySlug(Type.Array(uptimeStatus), 'The state of each service on each of `history_dates`'),
  history_dates: Type.Array(Type.String(), { description: 'The last 90 days, the oldest first, as YYYY-MM-DD' }),
  hourly_history: bySlug(Type.Array(uptimeStatus), 'The state of each service in the last 24 hours, the oldest first'),
  uptime_percent: bySlug(
    Type.Number({ minimum: 0, maximum: 100 }),
    'The share of checks of these days that did not find the service down; 100 before the first check',
  ),
})

export const probeAnswer = object({ status: Type.String({ description: 'ok' }) })
