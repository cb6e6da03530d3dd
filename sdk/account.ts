import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'

export interface Health {
  status: string
  service: string
  version: string
  timestamp: string
  /** Components that the server depends on, by name. */
  helpers?: Record<string, { status: string; since: string; reason?: string }>
  /** The image of computers that keep their files, until it has been built: `waiting`, `building` or `failed`. */
  desktopImage?: { state: string; step?: string; progress?: number }
}

export interface Balance {
  /** US dollars. */
  creditsRemaining: number | string
  creditsRemainingUsdc?: number | string
  /** When the token expires, if the server reports it. */
  tokenExpiresAt?: string
}

/** Usage of one meter. */
export interface UsageLine {
  /** A day such as `2026-01-26`, the id of a computer or a token, or a label; '' if unknown. */
  of: string
  /** Name of the computer or token; '' for the default sandbox. */
  name?: string
  meter: string
  quantity: number
  unit: string
  /** Cost in micro-dollars: 1,000,000 is one US dollar. */
  amountMicros: number
}

/** A spending limit for a period, and the amount spent. */
export interface UsageLimit {
  /** The API key that the limit is for; undefined for the whole workspace. */
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
  /** False for an account whose usage is shown but not charged. */
  billed: boolean
  totals: UsageLine[]
  byDay: UsageLine[]
  byComputer: UsageLine[]
  byKey: UsageLine[]
  byLabel: UsageLine[]
  limits?: UsageLimit[]
}

export interface UsageOptions extends RequestOptions {
  /** Number of days up to today that the report covers; default 30. */
  days?: number | undefined
}

/** Returns the health of the server; needs no token. */
export function health(context: Context, options: RequestOptions = {}): Promise<Health> {
  return get(context, '/health', options)
}

/** The user or workspace that a token stands for. */
export interface Me {
  id: string
  name: string
  /** Empty if unknown. */
  email: string
  /** The workspace that the token is for. */
  workspace_id: string
  created_at: string
  /** When the account is deleted, if its deletion is scheduled. */
  delete_at?: string
}

/** Returns what the token stands for. */
export function me(context: Context, options: RequestOptions = {}): Promise<Me> {
  return get(context, '/v1/me', options)
}

/** Returns the credit that is left. */
export function balance(context: Context, options: RequestOptions = {}): Promise<Balance> {
  return get(context, '/balance', options)
}

/** Returns usage by day, computer, key and label. */
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
