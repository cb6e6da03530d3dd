import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'

export interface Deletion {
  /** When everything goes; null when the account stays. */
  deleteAt: string | null
  message: string
}

/** Lets the account and all it has go in 30 days. */
export function deleteAccount(context: Context, options: RequestOptions = {}): Promise<Deletion> {
  const path = '/api/v1/account/delete'
  return context.transport.json<Deletion>({ method: 'DELETE', path, retry: 'repeatable', ...callFields(options) })
}

/** Keeps an account that was to go. */
export function cancelDeletion(context: Context, options: RequestOptions = {}): Promise<Deletion> {
  const path = '/api/v1/account/cancel-deletion'
  return context.transport.json<Deletion>({ method: 'POST', path, retry: 'repeatable', ...callFields(options) })
}
