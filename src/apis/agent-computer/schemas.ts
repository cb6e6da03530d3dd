import { Type } from 'typebox'
import { object } from '../schema.ts'

const cents = (description: string) => Type.Integer({ description: `${description}, in US cents` })
const mebibytes = (description: string) => Type.Integer({ description: `${description}, in MiB` })
const bytes = (description: string) => Type.Integer({ description: `${description}, in bytes` })
const nullableText = (description: string) => Type.Union([Type.String(), Type.Null()], { description })

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
  created_at: Type.String({ description: 'UTC, ISO 8601' }),
  delete_at: Type.Optional(
    Type.String({ description: 'When everything goes, of an account that is scheduled for deletion; UTC, ISO 8601' }),
  ),
})
