import type { FastifyBaseLogger } from 'fastify'
import { asCarrelError, type ErrorCode } from '../errors.ts'

/**
 * Tells the operator of a request that was refused or that failed. A fault of the server is an error with its stack. What a
 * client can bring about at will is none, and a line without a stack at most, so that nobody can fill the log: what is not set
 * up, at `info`; what the client did wrong, at `debug`, without the message, which may repeat what it sent.
 */
export function logFailure(log: FastifyBaseLogger, error: unknown, facts: Record<string, unknown> = {}): void {
  const known = asCarrelError(error)
  const { code, status, message, details } = known
  const reason = known.cause instanceof Error ? known.cause.message : undefined
  if (status < 500) log.debug({ code, field: details['field'], ...facts }, 'refused')
  // Of a setting that is there but wrong, such as a key that Stripe refuses.
  else if (code === 'not_set_up' && reason !== undefined) log.warn({ code, reason, ...facts }, message)
  else if (expected.has(code)) log.info({ code, reason, ...facts }, message)
  else log.error({ err: known.cause ?? known, ...facts }, message)
}

/** Failures that are not the server's: a process that outlives the server it was asked of, a full disk of a client's own or of the host, more asked for than there is. */
const expected = new Set<ErrorCode>(['not_set_up', 'process_goes_on', 'disk_full', 'output_waits', 'no_capacity'])
