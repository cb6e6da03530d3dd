import { callFields } from '../context.ts'
import type { Context, RequestOptions } from '../context.ts'

export const computersPath = '/v1/computers'

/** Returns the path of a computer, which its id or its handle names. */
export function pathOf(computer: string): string {
  return `${computersPath}/${encodeURIComponent(computer)}`
}

export function get<T>({ transport }: Context, path: string, options: RequestOptions): Promise<T> {
  return transport.json<T>({ method: 'GET', path, retry: 'repeatable', ...callFields(options) })
}

/** Sends a POST that is made safe to repeat by an Idempotency-Key, the caller's or a new one. */
export function postOnce<T>(
  { transport }: Context,
  path: string,
  json: Record<string, unknown>,
  { idempotencyKey = crypto.randomUUID(), ...options }: RequestOptions & { idempotencyKey?: string | undefined },
): Promise<T> {
  return transport.json<T>({
    method: 'POST',
    path,
    json,
    idempotencyKey,
    retry: 'repeatable',
    ...callFields(options),
  })
}

/** Sends a DELETE whose answer is empty. */
export async function remove({ transport }: Context, path: string, options: RequestOptions): Promise<void> {
  const answer = await transport.open({ method: 'DELETE', path, retry: 'refused', ...callFields(options) })
  await answer.body?.cancel()
}
