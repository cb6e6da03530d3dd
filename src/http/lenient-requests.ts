import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from './app.ts'
import { innerCalls } from './inner-call.ts'
import type { Surface } from './surface.ts'
import { removeUnknown } from './unknown-fields.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Sentences about fields of the request that were ignored. */
    hints?: readonly string[]
  }
}

/**
 * Makes the routes of surfaces whose clients are not ours accept fields that their schemas do not have, and null in
 * optional ones. What was ignored is named in the header `carrel-hint`. Only a request that does not fit its schema is
 * examined, so that others are as fast as before.
 */
export function takeUnknownFields(app: App): void {
  app.decorateRequest('hints')
  app.addHook('onRoute', (route) => {
    const { surface, documentation, refusesUnknownFields } = route.config ?? {}
    if (!surface?.takesUnknownFields) return
    route.attachValidation = true
    if (route.schema?.body || documentation?.form || refusesUnknownFields) return
    route.preHandler = [...[route.preHandler ?? []].flat(), hintAtBody]
  })
  app.addHook('preHandler', (request, reply, done) => {
    if (request.validationError === undefined) return done()
    done(refit(request, reply))
  })
}

type ValidationError = NonNullable<FastifyRequest['validationError']>

/** Removes what does not fit, and returns what is wrong all the same. */
function refit(request: FastifyRequest, reply: FastifyReply): ValidationError | undefined {
  const { schema, config } = request.routeOptions
  const hints: string[] = []
  let refused: ValidationError | undefined = parts.some(
    ([context]) => context === request.validationError!.validationContext,
  )
    ? undefined
    : request.validationError
  for (const [context, part] of parts) {
    const check = request.getValidationFunction(context) as Check | undefined
    const value = request[part] ?? null
    if (refused || !check || check(value)) continue
    hints.push(...removeUnknown(schema?.[context], value, { keepsUnknown: config.refusesUnknownFields }))
    if (!check(value)) refused = validationError(check.errors ?? [], context)
  }
  hint(request, reply, hints)
  return refused
}

/** Names the fields of a body on a route that reads none. */
function hintAtBody(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  hint(request, reply, removeUnknown(noFields, request.body))
  done()
}

/** Adds a sentence to an answer: as a header, or, where a message calls the route, as a suggestion. */
export function addHint(request: FastifyRequest, reply: FastifyReply, sentence: string): void {
  const inner = innerCalls.getStore()
  if (inner) inner.hint = sentence
  else reply.header(hintHeader, [...(request.hints ?? []), sentence].join(' '))
}

/** Keeps sentences for an error, and adds them to the headers of the answer. */
function hint(request: FastifyRequest, reply: FastifyReply, hints: string[]): void {
  if (hints.length === 0) return
  request.hints = hints
  reply.header(hintHeader, hints.join(' '))
}

interface Check {
  (value: unknown): boolean
  errors?: object[] | null
}

/** Returns the error that Fastify would have made. */
function validationError(validation: object[], validationContext: string): ValidationError {
  const error = new Error('The request does not fit its schema')
  return Object.assign(error, { validation, validationContext, statusCode: 400 })
}

export const hintHeader = 'carrel-hint'

/** Which bodies are read as JSON: see `jsonTypes`. */
export const jsonRule =
  'A body is JSON, whether its content type is application/json, that of a form, text/plain, or missing.'

/** What requests may be like, for a surface's documents. */
export function requestRules({ takesUnknownFields }: Pick<Surface, 'takesUnknownFields'>): string {
  if (!takesUnknownFields) return `${jsonRule} A field that a route does not have is refused.`
  return `${jsonRule} A field that a route does not have is ignored and named in the header ${hintHeader} of the answer, except where the schema of the route refuses more fields. A field that is not required can be null, which means that it is missing.`
}

const noFields = { properties: {}, additionalProperties: false }
/** In the order in which Fastify validates them. */
const parts = [
  ['params', 'params'],
  ['body', 'body'],
  ['querystring', 'query'],
] as const
