import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'

/** Amounts in US cents; null for no limit. */
export interface Limits {
  daily_limit_cents: number | null
  daily_spent_cents: number | null
  monthly_limit_cents: number | null
  monthly_spent_cents: number | null
}

/** Spending limits of the workspace, and of each API key that has one. */
export interface SpendingLimits extends Limits {
  workspace_id: string
  keys: (Limits & { key_id: string; name: string })[]
}

/** Changed limits. A field that is left out keeps its value; null removes a limit. */
export interface LimitChange {
  daily_limit_cents?: number | null | undefined
  monthly_limit_cents?: number | null | undefined
  keys?:
    | {
        key_id: string
        daily_limit_cents?: number | null | undefined
        monthly_limit_cents?: number | null | undefined
      }[]
    | undefined
}

/** Returns the spending limits of the workspace and its API keys. */
export function readLimits({ transport }: Context, options: RequestOptions = {}): Promise<SpendingLimits> {
  return transport.json({ method: 'GET', path, retry: 'repeatable', ...callFields(options) })
}

/** Sets and removes spending limits, all or none of them. Requires the role `admin`. */
export function changeLimits(
  { transport }: Context,
  change: LimitChange,
  options: RequestOptions = {},
): Promise<SpendingLimits> {
  return transport.json({ method: 'PATCH', path, json: { ...change }, retry: 'repeatable', ...callFields(options) })
}

const path = '/v1/billing/preferences'
