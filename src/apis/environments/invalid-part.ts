import type { CarrelError } from '../../errors.ts'
import type { Refused } from '../../http/error-envelope.ts'

/** The invalid part of a request, in FastAPI's form. */
interface InvalidPart {
  loc: (string | number)[]
  msg: string
  /** Pydantic's name of the error. */
  type: string
}

/** Returns the invalid value that an error is about, if the route's schema describes that part of the request. */
export function invalidPart(error: CarrelError, request: Refused): InvalidPart | undefined {
  const { field } = error.details
  if (error.code !== 'invalid_request' || typeof field !== 'string' || isPaperpodRequest(request)) return undefined
  const root = rootOf(error, field, request)
  if (root === undefined) return undefined
  const way = field === root || field === 'query' ? [] : field.split('.')
  const loc = [root, ...way.map((part) => (/^\d+$/.test(part) ? Number(part) : part))]
  return { loc, msg: error.message, type: typeOf(error) }
}

/** Both documents have `POST /auth/refresh`; only that of the environments API has `refresh_token`. */
function isPaperpodRequest({ routeOptions, body }: Refused): boolean {
  if (routeOptions?.url !== '/auth/refresh') return false
  const hasRefreshToken = typeof body === 'object' && body !== null && 'refresh_token' in body && !('token' in body)
  return !hasRefreshToken
}

/** Returns the part that Ajv validated or, for a field that a handler refuses, the part whose schema has the field. */
function rootOf({ cause }: CarrelError, field: string, { routeOptions }: Refused): string | undefined {
  const { validationContext } = (cause ?? {}) as { validationContext?: string }
  if (validationContext !== undefined) return roots[validationContext]
  const [first = ''] = field.split('.')
  const schemas = (routeOptions?.schema ?? {}) as Record<string, { properties?: object } | undefined>
  const contexts = ['body', 'querystring', 'params'].filter((context) => schemas[context])
  const own = contexts.find((context) => Object.hasOwn(schemas[context]?.properties ?? {}, first))
  // A field that no schema describes is reported as part of the body, if the route takes one.
  return roots[own ?? contexts[0] ?? '']
}

const roots: Record<string, string> = { body: 'body', querystring: 'query', params: 'path', headers: 'header' }

function typeOf({ cause }: CarrelError): string {
  const { validation } = (cause ?? {}) as { validation?: { keyword?: string; params?: { type?: unknown } }[] }
  const { keyword = '', params } = validation?.[0] ?? {}
  if (keyword === 'type') return typesByName[String(params?.type)] ?? 'value_error'
  if (keyword !== '') return typesByKeyword[keyword] ?? 'value_error'
  return cause instanceof Error ? 'json_invalid' : 'value_error'
}

const typesByName: Record<string, string> = {
  string: 'string_type',
  integer: 'int_type',
  number: 'float_type',
  boolean: 'bool_type',
  array: 'list_type',
  object: 'model_type',
}

const typesByKeyword: Record<string, string> = {
  required: 'missing',
  additionalProperties: 'extra_forbidden',
  enum: 'enum',
  const: 'literal_error',
  minimum: 'greater_than_equal',
  maximum: 'less_than_equal',
  minLength: 'string_too_short',
  maxLength: 'string_too_long',
  minItems: 'too_short',
  maxItems: 'too_long',
  minProperties: 'too_short',
  pattern: 'string_pattern_mismatch',
}
