import type { FastifyRequest } from 'fastify'
import type { CarrelError, ErrorCode } from '../errors.ts'

/** As much of a request as tells which of its fields is wrong; there is none of what never became a request. */
export type Refused = Partial<Pick<FastifyRequest, 'method' | 'body' | 'routeOptions'>>

/** How a surface says no. */
export interface ErrorEnvelope {
  /** The paths that it answers below, such as `/api/v1`; '' for all that no other has. Of several that fit, the longest holds. */
  under: readonly string[]
  /** What its schema is called in OpenAPI. */
  name: string
  /** The schema of the body. */
  schema: object
  body: (error: CarrelError, requestId: string, request: Refused) => Record<string, unknown>
  /** What a row of the error table is called there. */
  codeOf: (code: ErrorCode) => string
  /** Where it is another one than the table's. */
  statusOf?: (error: CarrelError, request: Refused) => number
  /** The schema and the status of a bad value, where they are its own. */
  invalid?: { name: string; schema: object; status: number }
}

/** The form of the surface that a path, or an address with a query, belongs to. One has to be for all. */
export function errorEnvelopeOf(forms: readonly ErrorEnvelope[], address: string): ErrorEnvelope {
  const [path = ''] = address.split('?', 1)
  const fits = (prefix: string) => path === prefix || path.startsWith(`${prefix}/`) || prefix === ''
  const found = forms
    .flatMap((form) => form.under.filter(fits).map((prefix) => ({ form, prefix })))
    .reduce((best, one) => (one.prefix.length > best.prefix.length ? one : best))
  return found.form
}

/** A refusal in a surface's own words: its status and its JSON. */
export function errorAnswer(
  form: ErrorEnvelope,
  error: CarrelError,
  requestId: string,
  request: Refused = {},
): { status: number; text: string } {
  const status = form.statusOf?.(error, request) ?? error.status
  return { status, text: JSON.stringify(form.body(error, requestId, request)) }
}
