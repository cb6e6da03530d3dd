import type { CarrelError } from '../../errors.ts'
import type { Refused } from '../../http/error-envelope.ts'

/** Which part of a request is wrong, as FastAPI tells it. */
interface InvalidPart {
  loc: (string | number)[]
  msg: string
  /** As Pydantic calls it. */
  type: string
}

/** What a refusal says of a value of the request that the route describes; undefined for every other one. */
export function invalidPart(error: CarrelError, request: Refused): InvalidPart | undefined {
  const { field } = error.details
  if (error.code !== 'invalid_request' || typeof field !== 'string' || isOfPaperpod(request)) return undefined
  const root = rootOf(error, field, request)
  if (root === undefined) return undefined
  const way = field === root || field === 'query' ? [] : field.split('.')
  const loc = [root, ...way.map((part) => (/^\d+$/.test(part) ? Number(part) : part))]
  return { loc, msg: error.message, type: typeOf(error) }
}

/** Both documents have `POST /auth/refresh`; only theirs has `refresh_token`. */
function isOfPaperpod({ routeOptions, body }: Refused): boolean {
  if (routeOptions?.url !== '/auth/refresh') return false
  const isTheirs = typeof body === 'object' && body !== null && 'refresh_token' in body && !('token' in body)
  return !isTheirs
}

/** Ajv says where it looked. What a handler refuses is where the route describes such a field. */
function rootOf({ cause }: CarrelError, field: string, { routeOptions }: Refused): string | undefined {
  const { validationContext } = (cause ?? {}) as { validationContext?: string }
  if (validationContext !== undefined) return roots[validationContext]
  const [first = ''] = field.split('.')
  const schemas = (routeOptions?.schema ?? {}) as Record<string, { properties?: object } | undefined>
  const contexts = ['body', 'querystring', 'params'].filter((context) => schemas[context])
  const own = contexts.find((context) => Object.hasOwn(schemas[context]?.properties ?? {}, first))
  // What is no field of the route is told of its body, where it takes one.
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
