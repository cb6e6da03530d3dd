import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'

export interface ExposedPort {
  url: string
  wsUrl: string
  exposedAt: string
  port: number
}

/**
 * Gives a port of the sandbox a public address. Start the server on that port first. Exposing a port again returns the
 * same address.
 */
export function expose(context: Context, port: number, options: RequestOptions = {}): Promise<ExposedPort> {
  return context.transport.json<ExposedPort>({
    method: 'POST',
    path: '/expose',
    json: { port, sessionId: options.sessionId ?? context.sessionId },
    idempotencyKey: crypto.randomUUID(),
    retry: 'repeatable',
    ...callFields(options),
  })
}
