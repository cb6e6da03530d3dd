import type { FastifyRequest } from 'fastify'
import type { CarrelError, ErrorCode } from '../errors.ts'

/** As much of a request as shows which of its fields is wrong; empty for bytes that never became a request. */
export type Refused = Partial<Pick<FastifyRequest, 'method' | 'body' | 'routeOptions'>>

/** The form of a surface's errors. */
export interface ErrorEnvelope {
  /** The name of its schema in OpenAPI. */
  name: string
  /** The schema of the body. */
  schema: object
  body: (error: CarrelError, requestId: string, request: Refused) => Record<string, unknown>
  /** Returns the surface's name for a row of the error table. */
  codeOf: (code: ErrorCode) => string
  /** Only where the status differs from the table's. */
  statusOf?: (error: CarrelError, request: Refused) => number
  /** The schema and the status of a bad value, where the surface has its own. */
  invalid?: { name: string; schema: object; status: number }
}

/** Returns status and JSON of an error in a surface's envelope. */
export function errorAnswer(
  envelope: ErrorEnvelope,
  error: CarrelError,
  requestId: string,
  request: Refused = {},
): { status: number; text: string } {
  const status = envelope.statusOf?.(error, request) ?? error.status
  return { status, text: JSON.stringify(envelope.body(error, requestId, request)) }
}
