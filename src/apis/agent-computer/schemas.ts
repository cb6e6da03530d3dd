import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { patterns } from '../../http/patterns.ts'
import { cents, dollars, nullable, nullableText, object, time } from '../schema.ts'

const mebibytes = (description: string) => Type.Integer({ description: `${description}, in MiB` })
const bytes = (description: string) => Type.Integer({ description: `${description}, in bytes` })

const autoReload = object({
  enabled: Type.Boolean({ description: 'Always false: this server buys nothing by itself' }),
  balance_threshold_cents: cents('The balance that would start it'),
  reload_amount_cents: cents('What it would add'),
  monthly_spend_limit_cents: cents('What the workspace may spend in a month; 0 is no limit'),
  monthly_reload_limit: Type.Integer({ description: 'How often it would in a month' }),
})

const resourceLimits = object({
  default_vcpus: Type.Number(),
  min_memory_mib: mebibytes('The least of one computer'),
  max_memory_mib: mebibytes('The most'),
  memory_step_mib: mebibytes('In steps of'),
  min_storage_bytes: bytes('The least of one computer'),
  max_storage_bytes: bytes('The most'),
  storage_step_bytes: bytes('In steps of'),
})

const computerPlan = object({
  feature_id: Type.String({ description: 'computers' }),
  access_status: Type.Enum(['active', 'inactive', 'unavailable'], {
    description: 'inactive: there is no credit left to run one',
  }),
  access_message: nullableText('Why it is not active'),
  credit_balance: Type.Number({ description: 'What is left to spend, in US cents and parts of them' }),
  low_balance: Type.Boolean({ description: 'Whether it is time to add to it' }),
  auto_reload: autoReload,
  resource_limits: resourceLimits,
})

export const meAnswer = object({
  id: Type.String(),
  clerk_user_id: Type.String({ description: 'The same as id' }),
  primary_email: Type.String({ description: 'Empty when none is known' }),
  display_name: Type.String(),
  auth_method: Type.Enum(['session', 'api_key'], { description: 'Of the token that asks' }),
  clerk_api_key_id: nullableText('The API key that asks; null for a sign-in'),
  active_org_id: nullableText("The workspace that the token is for; null for one's own"),
  active_org_role: nullableText('What the person is in it: owner, admin or member'),
  active_org_slug: nullableText('Always null: workspaces here have a name and an id'),
  computer_plan: computerPlan,
  name: Type.String({ description: 'The same as display_name' }),
  email: Type.String({ description: 'The same as primary_email' }),
  workspace_id: Type.String({ description: 'The workspace that the token is for' }),
  created_at: time(),
  delete_at: Type.Optional(time('When everything goes, of an account that is scheduled for deletion')),
})

const limitCents = (description: string) =>
  Type.Optional(nullable(Type.Integer({ minimum: 0, maximum: limits.spendingLimitCents }), { description }))
const changes = {
  daily_limit_cents: limitCents('What may be spent in a day (UTC), in US cents; null is no limit'),
  monthly_limit_cents: limitCents('The same in a month'),
}
export const preferencesBody = Type.Object(
  {
    ...changes,
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
  daily_limit_cents: nullable(Type.Number(), { description: 'null is no limit' }),
  daily_spent_cents: nullable(Type.Number(), { description: 'null without a limit' }),
  monthly_limit_cents: nullable(Type.Number()),
  monthly_spent_cents: nullable(Type.Number()),
}
export const preferencesAnswer = Type.Object(
  {
    workspace_id: Type.String(),
    ...limitFields,
    keys: Type.Array(
      Type.Object({ key_id: Type.String(), name: Type.String(), ...limitFields }, { additionalProperties: false }),
      { description: 'API keys that have a limit' },
    ),
  },
  { additionalProperties: false },
)

const line = Type.Object({
  of: Type.String({ description: 'The day, or the id of the computer or token; empty where it is not known' }),
  name: Type.Optional(
    Type.String({ description: 'How the computer or token is called; empty for the default sandbox' }),
  ),
  rest: Type.Optional(
    Type.Boolean({
      description: `True for all those together that have no line of their own: beyond the ${limits.usageReportLines} dearest, or beyond the first ${limits.usageLinesPerDay} of a day`,
    }),
  ),
  meter: Type.String({ description: 'compute, browser, neurons, storage_hot or storage_cold' }),
  quantity: Type.Number(),
  unit: Type.String({ description: 's, neurons or GiB-h' }),
  amountMicros: Type.Integer({ description: 'What it cost: 1,000,000 is a US dollar' }),
})
const lines = Type.Array(line)

export const usageQuery = Type.Object(
  {
    days: Type.Optional(
      Type.String({ description: 'How many days up to today, in UTC; 30 by default', pattern: patterns.days.source }),
    ),
  },
  { additionalProperties: false },
)

const limit = Type.Object({
  keyId: Type.Optional(Type.String({ description: 'The API key that it is of; the workspace as a whole without it' })),
  name: Type.Optional(Type.String({ description: 'How the key is called' })),
  period: Type.String({ description: 'day or month, in UTC' }),
  limitMicros: Type.Integer(),
  spentMicros: Type.Integer(),
  resetsAt: Type.String(),
})

export const usageAnswer = Type.Object({
  from: Type.String(),
  to: Type.String(),
  creditsRemaining: dollars(),
  billed: Type.Boolean({ description: 'False for an account whose use is shown but not charged' }),
  totals: lines,
  byDay: lines,
  byComputer: lines,
  byKey: lines,
  byLabel: lines,
  limits: Type.Array(limit, { description: 'Spending limits, with what is spent of each' }),
})
