import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'

/** In US cents; null is no limit. */
export interface Limits {
  daily_limit_cents: number | null
  daily_spent_cents: number | null
  monthly_limit_cents: number | null
  monthly_spent_cents: number | null
}

/** What the workspace may spend, and each of its API keys that has a limit. */
export interface SpendingLimits extends Limits {
  workspace_id: string
  keys: (Limits & { key_id: string; name: string })[]
}

/** What is left out stays; null takes a limit away. */
export interface LimitChange {
  daily_limit_cents?: number | null
  monthly_limit_cents?: number | null
  keys?: { key_id: string; daily_limit_cents?: number | null; monthly_limit_cents?: number | null }[]
}

export function readLimits({ transport }: Context, options: RequestOptions = {}): Promise<SpendingLimits> {
  return transport.json({ method: 'GET', path, retry: 'repeatable', ...callFields(options) })
}

export function changeLimits(
  { transport }: Context,
  change: LimitChange,
  options: RequestOptions = {},
): Promise<SpendingLimits> {
  return transport.json({ method: 'PATCH', path, json: { ...change }, retry: 'repeatable', ...callFields(options) })
}

const path = '/v1/billing/preferences'
