import type { RouteOptions } from 'fastify'
import type { App } from '../../../http/app.ts'
import { innerCalls, type InnerCall } from '../../../http/inner-call.ts'
import type { LargeResponse } from '../../../http/large-response.ts'
import { hintHeader } from '../../../http/lenient-requests.ts'
import { removeUnknown } from '../../../http/unknown-fields.ts'
import { returnsOf } from '../../../http/returns-of.ts'
import { paramsOf } from '../params-of.ts'
import type { Call, Fields, Message } from './message.ts'
import type { Suggestion } from './suggestions.ts'

/** The error that a route answered, already in the surface's envelope. */
export class RouteRefusal extends Error {
  readonly body: string

  constructor(body: string) {
    super('a route refused a message')
    this.body = body
  }
}

interface Options {
  /** Such as `POST /files/read`. */
  route: string
  action?: string
  /** True if answers can be large: each is made only after the one before it has been sent. */
  large?: boolean
  /** The category of what the route adds to its answer. */
  hintCategory?: Suggestion['category']
}

/** Makes messages that call routes. */
export class MessageRoutes {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  /** Returns a message that calls a route, with the same fields, validation, answers and errors. */
  message(type: string, { route, action, large = false, hintCategory }: Options): Message {
    const found = () => this.#app.catalog.find(route)?.options ?? unknown(route)
    return {
      type,
      action,
      route,
      help: () => {
        const options = found()
        const { schema, config } = options
        const { description = '', notes, example } = config?.documentation ?? {}
        const params = paramsOf(schema?.body ?? schema?.querystring) ?? {}
        return { description, params, returns: returnsOf(options), notes, example }
      },
      schema: () => found().schema?.body ?? found().schema?.querystring ?? {},
      run: async (call) => {
        const answer = () => this.#callRoute(found(), call, hintCategory)
        return large ? answer : answer()
      },
    }
  }

  /** Calls a route, which is aborted when the connection is gone as when its client disconnects. */
  async #callRoute(
    route: RouteOptions,
    call: Call,
    hintCategory?: Suggestion['category'],
  ): Promise<string | LargeResponse> {
    if (call.closed.aborted) throw new RouteRefusal('{}')
    try {
      const { fields, largeBytes: bytes } = call
      const inner: InnerCall = { body: bytes === undefined ? undefined : { fields, bytes }, closed: call.closed }
      const answer = await innerCalls.run(inner, () => this.#inject(route, call))
      if (inner.hint !== undefined) call.hint(inner.hint, hintCategory)
      return inner.answer ?? answer
    } catch (error) {
      if (call.closed.aborted) throw new RouteRefusal('{}')
      throw error
    }
  }

  async #inject({ method, url, schema }: RouteOptions, { token, fields, largeBytes, hint }: Call): Promise<string> {
    const takesBody = method !== 'GET'
    if (!takesBody) hintAtFields(fields, schema?.querystring, hint)
    const {
      statusCode,
      payload,
      headers: answered,
    } = await this.#app.inject({
      method: method as 'GET' | 'POST',
      url,
      headers: { authorization: `Bearer ${token}`, ...(takesBody ? { 'content-type': 'application/json' } : {}) },
      ...(takesBody ? { payload: largeBytes === undefined ? JSON.stringify(fields) : '{}' } : {}),
      ...(!takesBody && schema?.querystring ? { query: fields as Record<string, string> } : {}),
    })
    if (statusCode >= 400) throw new RouteRefusal(payload)
    if (answered[hintHeader] !== undefined) hint(String(answered[hintHeader]))
    return payload
  }
}

/** Names the fields of a message to a route that reads none. */
function hintAtFields(fields: Fields, querystring: unknown, hint: Call['hint']): void {
  if (querystring) return
  const hints = removeUnknown({ properties: {}, additionalProperties: false }, { ...fields })
  if (hints.length > 0) hint(hints.join(' '))
}

function unknown(route: string): never {
  throw new Error(`There is no route "${route}"`)
}
