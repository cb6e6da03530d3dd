import type { FastifyBaseLogger } from 'fastify'
import { DatabaseFailure } from '../database-failure.ts'
import { asCarrelError, type ErrorCode } from '../errors.ts'

/**
 * Logs a request that was refused or that failed. A fault of the server is an error with its stack. Whatever a client
 * can cause at will is at most a line without a stack, so that no client can fill the log: a feature that is not
 * configured, or a database that is away, at `info`; a fault of the client, at `debug`, without the message, which may
 * repeat what the client sent.
 */
export function logFailure(log: FastifyBaseLogger, error: unknown, facts: Record<string, unknown> = {}): void {
  const known = asCarrelError(error)
  const { code, status, message, details } = known
  const reason = known.cause instanceof Error ? known.cause.message : undefined
  if (status < 500) log.debug({ code, field: details['field'], ...facts }, 'refused')
  // A setting is present but wrong, such as a key that Stripe refuses.
  else if (code === 'not_set_up' && reason !== undefined) log.warn({ code, reason, ...facts }, message)
  else if (expected.has(code) || known instanceof DatabaseFailure) log.info({ code, reason, ...facts }, message)
  else log.error({ err: known.cause ?? known, ...facts }, message)
}

/**
 * Failures that are not faults of the server: a feature that is not configured, a process that outlives the server that
 * waited for it, a full disk of a computer or of the host, a lack of capacity.
 */
const expected = new Set<ErrorCode>(['not_set_up', 'process_goes_on', 'disk_full', 'output_waits', 'no_capacity'])
