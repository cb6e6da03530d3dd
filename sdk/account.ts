import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'

export interface Health {
  status: string
  service: string
  version: string
  timestamp: string
}

export interface Balance {
  /** US dollars. */
  creditsRemaining: number | string
  creditsRemainingUsdc?: number | string
  /** When the token ends, where the server tells. */
  tokenExpiresAt?: string
}

/** Whether the server is there; needs no token. */
export function health(context: Context, options: RequestOptions = {}): Promise<Health> {
  return get(context, '/health', options)
}

/** What is left to spend. */
export function balance(context: Context, options: RequestOptions = {}): Promise<Balance> {
  return get(context, '/balance', options)
}

function get<T>(context: Context, path: string, options: RequestOptions): Promise<T> {
  return context.transport.json<T>({ method: 'GET', path, retry: 'repeatable', ...callFields(options) })
}
