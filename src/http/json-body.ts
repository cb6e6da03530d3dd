import type { FastifyInstance, FastifyRequest } from 'fastify'
import { asCarrelError, CarrelError } from '../errors.ts'
import { checkUnicode } from './check-unicode.ts'

/**
 * Reads JSON bodies as Fastify does, which refuses keys that could reach into a prototype, but says what is wrong. Where
 * there are no fields, or every one is optional, no body at all is one without fields.
 */
export function readJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    void parse(request, body, (error, value) => {
      if (body === '' && (takesNothing(request) || !request.routeOptions.schema?.body)) return done(null, {})
      if (error) return done(body === '' ? error : refusal(body))
      try {
        checkUnicode(value, body)
      } catch (refused) {
        return done(asCarrelError(refused))
      }
      done(null, value)
    })
  })
  app.addHook('preValidation', async (request) => {
    if (request.body === undefined && takesNothing(request)) request.body = {}
  })
}

function takesNothing({ routeOptions }: FastifyRequest): boolean {
  const body = routeOptions.schema?.body as { properties?: object; required?: string[] } | undefined
  return body?.properties !== undefined && !body.required?.length
}

function refusal(body: string): CarrelError {
  let cause: unknown
  try {
    JSON.parse(body)
  } catch (error) {
    cause = error
  }
  const why = cause
    ? `is not valid JSON${placeIn(cause)}`
    : 'has a key "__proto__" or "constructor" with a "prototype" in it, which is taken nowhere'
  return new CarrelError('invalid_request', `Cannot read the request: its body ${why}`, {
    details: { field: 'body' },
    cause,
  })
}

/** Where the parser stopped, in as far as it tells. */
function placeIn(error: unknown): string {
  const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(String(error)) ?? []
  return line ? `: something is wrong at line ${line}, column ${column}` : ''
}
