import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'

export interface Deletion {
  /** When the account is deleted; null if it is not. */
  deleteAt: string | null
  message: string
}

/** Schedules the account and all its data for deletion in 30 days. */
export function deleteAccount(context: Context, options: RequestOptions = {}): Promise<Deletion> {
  const path = '/api/v1/account/delete'
  return context.transport.json<Deletion>({ method: 'DELETE', path, retry: 'repeatable', ...callFields(options) })
}

/** Cancels a scheduled deletion. */
export function cancelDeletion(context: Context, options: RequestOptions = {}): Promise<Deletion> {
  const path = '/api/v1/account/cancel-deletion'
  return context.transport.json<Deletion>({ method: 'POST', path, retry: 'repeatable', ...callFields(options) })
}
