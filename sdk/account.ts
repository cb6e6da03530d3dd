import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'

export interface Health {
  status: string
  service: string
  version: string
  timestamp: string
  /** What the server works with, by name. */
  helpers?: Record<string, { status: string; since: string; reason?: string }>
}

export interface Balance {
  /** US dollars. */
  creditsRemaining: number | string
  creditsRemainingUsdc?: number | string
  /** When the token ends, where the server tells. */
  tokenExpiresAt?: string
}

/** What was used of one meter. */
export interface UsageLine {
  /** A day as `2026-01-26`, the id of a computer or a token, a label; '' where it is not known. */
  of: string
  /** How the computer or token is called; '' for the default sandbox. */
  name?: string
  meter: string
  quantity: number
  unit: string
  /** What it cost: 1,000,000 is a US dollar. */
  amountMicros: number
}

/** What may be spent in a period, and is. */
export interface UsageLimit {
  /** An API key; the workspace as a whole without it. */
  keyId?: string
  name?: string
  period: string
  limitMicros: number
  spentMicros: number
  /** When the next period begins. */
  resetsAt: string
}

export interface Usage {
  from: string
  to: string
  /** US dollars. */
  creditsRemaining: number
  /** False for an account whose use is shown but not charged. */
  billed: boolean
  totals: UsageLine[]
  byDay: UsageLine[]
  byComputer: UsageLine[]
  byKey: UsageLine[]
  byLabel: UsageLine[]
  limits?: UsageLimit[]
}

/** Also says how many days up to today are told of; default 30. */
export interface UsageOptions extends RequestOptions {
  days?: number
}

/** Whether the server is there; needs no token. */
export function health(context: Context, options: RequestOptions = {}): Promise<Health> {
  return get(context, '/health', options)
}

/** Who a token stands for. */
export interface Me {
  id: string
  name: string
  /** Empty when none is known. */
  email: string
  /** The workspace that the token is for. */
  workspace_id: string
  created_at: string
  /** When everything goes, of an account that is scheduled for deletion. */
  delete_at?: string
}

export function me(context: Context, options: RequestOptions = {}): Promise<Me> {
  return get(context, '/v1/me', options)
}

/** What is left to spend. */
export function balance(context: Context, options: RequestOptions = {}): Promise<Balance> {
  return get(context, '/balance', options)
}

/** What was used, by day, computer, key and label. */
export function usage(context: Context, { days, ...options }: UsageOptions = {}): Promise<Usage> {
  return get(context, '/v1/usage', options, { days: days?.toString() })
}

function get<T>(
  context: Context,
  path: string,
  options: RequestOptions,
  query: Record<string, string | undefined> = {},
): Promise<T> {
  return context.transport.json<T>({ method: 'GET', path, query, retry: 'repeatable', ...callFields(options) })
}
