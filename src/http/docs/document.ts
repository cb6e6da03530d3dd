import { successOf } from '../success-of.ts'
import type { DocumentedMessage } from '../documented-message.ts'

/** The part of OpenAPI that the documentation pages read. */
export interface OpenApiDocument {
  info: { title: string; version: string; description: string }
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, OpenApiOperation>>
}

interface OpenApiOperation {
  operationId: string
  tags: string[]
  summary: string
  description: string
  security: unknown[]
  parameters?: Parameter[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, { description: string; content?: Record<string, Media>; 'x-codes'?: string[] }>
  'x-messages'?: DocumentedMessage[]
}

export interface Parameter {
  name: string
  in: 'query' | 'header' | 'path'
  required?: boolean
  description?: string
  example?: unknown
  schema: Schema
}

interface Media {
  schema: Schema
  example?: Record<string, unknown>
}

/** An error that a route can answer. */
export interface RouteError {
  status: string
  code: string
}

export interface Schema {
  type?: string
  format?: string
  description?: string
  enum?: unknown[]
  anyOf?: Schema[]
  default?: unknown
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  additionalProperties?: boolean | Schema
}

/** One route, with its only request form and its only answer form. */
export interface Operation {
  id: string
  method: string
  path: string
  summary: string
  /** The description, if there is more than the summary. */
  notes: string | undefined
  isPublic: boolean
  /** True if the route opens a WebSocket, which neither the console nor curl supports. */
  isSocket: boolean
  parameters: Parameter[]
  request: ({ contentType: string } & Media) | undefined
  answer: { status: string; contentType: string; schema: Schema; description: string; example: unknown } | undefined
  errors: RouteError[]
  /** Of a WebSocket, or the events of a stream. */
  messages: DocumentedMessage[]
}

/** Returns the topics in order, each with its routes in the order in which they were added. */
export function operationsByTopic({ tags, paths }: OpenApiDocument) {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      topic: operation.tags[0],
      ...read(method, path, operation),
    })),
  )
  return tags.map((tag) => ({ ...tag, operations: operations.filter(({ topic }) => topic === tag.name) }))
}

function read(method: string, path: string, operation: OpenApiOperation): Operation {
  const { operationId, summary, description, security, parameters = [], requestBody, responses } = operation
  const [request] = Object.entries(requestBody?.content ?? {})
  const [status = '', success] = successOf(responses) ?? []
  const answers = Object.entries(success?.content ?? {})
  // Programs get JSON from a route that has a page for browsers too.
  const answer = answers.find(([contentType]) => contentType === 'application/json') ?? answers[0]
  return {
    id: operationId,
    method: method.toUpperCase(),
    path,
    summary,
    notes: description === summary ? undefined : description,
    isPublic: security.length === 0,
    isSocket: '101' in responses,
    parameters,
    request: request && { contentType: request[0], ...request[1] },
    answer: answer && {
      status,
      contentType: answer[0],
      schema: answer[1].schema,
      description: success!.description,
      example: answer[1].example,
    },
    errors: Object.entries(responses).flatMap(([status, { 'x-codes': codes = [] }]) =>
      codes.map((code) => ({ status, code })),
    ),
    messages: operation['x-messages'] ?? [],
  }
}
