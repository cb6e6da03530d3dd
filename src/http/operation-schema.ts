import type { FastifyContextConfig, FastifySchema, RouteOptions } from 'fastify'
import { errorTable, type ErrorCode } from '../errors.ts'
import { limits } from '../config/limits.ts'
import { returnsOf } from './returns-of.ts'
import { instructionFor, type Surface } from './surface.ts'

/**
 * Returns everything that OpenAPI says about a route, from its schemas and its documentation; `tag` names its topic.
 */
export function operationSchema(url: string, route: RouteOptions, tag: string): FastifySchema {
  const { schema, config = {} } = route
  const { documentation, public: isPublic, idempotent } = config
  const { description, notes, example, form, answers } = documentation ?? {}
  const body = form ?? schema?.body
  const bodyExample = documentation?.contentType === rawBody ? (example as { file: string }).file : example
  return {
    ...schema,
    ...(body ? { body: withExample(asTaken(body, config), bodyExample) } : {}),
    ...(schema?.querystring ? { querystring: withPropertyExamples(schema.querystring, example) } : {}),
    ...(idempotent ? { headers: idempotencyHeader } : {}),
    response: {
      ...successAnswers(answers ?? schema?.response ?? {}, returnsOf(route)),
      ...errorAnswers(route, config.surface!),
    },
    hide: documentation === undefined,
    tags: [tag],
    summary: description,
    description: notes ?? description,
    ...(documentation?.deprecated ? { deprecated: true } : {}),
    operationId: operationId(String(route.method), url),
    security: isPublic ? [] : [{ bearer: [] }],
  }
}

/** Returns the schema of a body with what its route really takes: on many surfaces, also fields that it does not have. */
function asTaken(body: object, { surface, refusesUnknownFields }: FastifyContextConfig): object {
  return surface?.takesUnknownFields && !refusesUnknownFields ? withoutRefusals(body) : body
}

function withoutRefusals(schema: object): object {
  if (Array.isArray(schema)) return schema.map((one) => (isObject(one) ? withoutRefusals(one) : (one as unknown)))
  const fields = Object.entries(schema as Record<string, unknown>).filter(
    ([key, value]) => key !== 'additionalProperties' || value !== false,
  )
  return Object.fromEntries(fields.map(([key, value]) => [key, isObject(value) ? withoutRefusals(value) : value]))
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** The content type of a body that is a file; the other fields of such a route's example are its query. */
export const rawBody = 'application/octet-stream'

/** Returns an id such as `postFilesWrite`. */
export function operationId(method: string, url: string): string {
  const words = url.replaceAll(/[^a-z]+([a-z])/gi, (_, letter: string) => letter.toUpperCase())
  return method.toLowerCase() + (words.replaceAll(/[^a-z]/gi, '') || 'Root')
}

const idempotencyHeader = {
  type: 'object',
  properties: {
    'idempotency-key': {
      type: 'string',
      maxLength: limits.idempotencyKeyLength,
      description:
        'Any text that you choose. A request with the same key and body within a day returns the first answer, and does nothing twice.',
    },
  },
}

function withExample(schema: object, example: unknown): object {
  return example === undefined ? schema : { ...schema, examples: [example] }
}

function withPropertyExamples(schema: object, example: unknown): object {
  const { properties } = schema as { properties: Record<string, object> }
  const values = (example ?? {}) as Record<string, unknown>
  const entries = Object.entries(properties).map(([name, property]) => [name, withExample(property, values[name])])
  return { ...schema, properties: Object.fromEntries(entries) as Record<string, object> }
}

function successAnswers(answers: object, returns: ReturnType<typeof returnsOf>): Record<string, object> {
  const summary = typeof returns === 'string' ? returns : Object.values(returns).join('; or ')
  const described = Object.entries(answers as Record<string, object>).map(([status, schema]) => [
    status,
    'content' in schema ? schema : { ...schema, 'x-response-description': summary },
  ])
  return Object.fromEntries(described) as Record<string, object>
}

/** Returns a route's errors by status: those that it documents, and those of its kind of request. */
export function routeErrors(
  { schema, config = {} }: RouteOptions,
  { envelope: { invalid } }: Surface,
): Map<number, ErrorCode[]> {
  const { documentation, public: isPublic, idempotent } = config
  const takesBody = Boolean(schema?.body ?? documentation?.form)
  const codes: ErrorCode[] = [
    ...(takesBody || schema?.querystring ? (['invalid_request'] as const) : []),
    ...(isPublic ? [] : (['unauthenticated'] as const)),
    ...(idempotent ? (['idempotency_mismatch', 'idempotency_in_progress'] as const) : []),
    ...(takesBody ? (['too_large', 'unsupported_media_type'] as const) : []),
    ...(documentation?.errors ?? []),
  ]
  return Map.groupBy([...new Set(codes)], (code) =>
    code === 'invalid_request' && invalid ? invalid.status : errorTable[code].status,
  )
}

/** Returns the answers of a route's errors by status, and a note on all others. */
function errorAnswers(route: RouteOptions, surface: Surface): Record<string, object> {
  const {
    envelope: { name, codeOf, invalid },
    instructions,
  } = surface
  return {
    ...Object.fromEntries(
      [...routeErrors(route, surface)].map(([status, codes]) => [
        status,
        errorAnswer(
          status === invalid?.status ? invalid.name : name,
          codes.map((code) => `${codeOf(code)}: ${instructionFor(code, instructions)}`).join(' '),
        ),
      ]),
    ),
    '4XX': errorAnswer(name, 'Another error of the request; see its code.'),
    '5XX': errorAnswer(name, 'The server failed to handle the request.'),
  }
}

function errorAnswer(name: string, description: string): object {
  return { description, content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } } }
}
