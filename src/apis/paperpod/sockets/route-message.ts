import type { App } from '../../../http/app.ts'
import { innerCalls, type InnerCall } from '../../../http/inner-call.ts'
import { LargeResponse } from '../../../http/large-response.ts'
import type { RouteDocumentation } from '../../../http/route-config.ts'
import { paramsOf } from '../params-of.ts'
import type { Call, Message } from './message.ts'

/** A route's answer that is an error, in the surface's envelope already. */
export class RouteRefusal extends Error {
  readonly body: string

  constructor(body: string) {
    super('a route refused a message')
    this.body = body
  }
}

interface Options {
  /** As in `POST /files/read`. */
  route: string
  action?: string
  /** Its answers can be large: one is made when the one before it has gone out. */
  large?: boolean
}

interface Route {
  method: string
  url: string
  schema: { body?: unknown; querystring?: unknown }
  documentation: RouteDocumentation
}

/** The routes of the surface, which messages stand for. Hears of every route that is added after it. */
export class MessageRoutes {
  readonly #app: App
  readonly #routes = new Map<string, Route>()

  constructor(app: App) {
    this.#app = app
    app.addHook('onRoute', ({ method, url, schema, config }) => {
      const { documentation } = config ?? {}
      if (documentation && typeof method === 'string')
        this.#routes.set(`${method} ${url}`, { method, url, schema: schema ?? {}, documentation })
    })
    app.addHook('onRequest', async (_request, reply) => {
      const closed = innerCalls.getStore()?.closed
      if (!closed) return
      const leave = () => reply.raw.destroy()
      closed.addEventListener('abort', leave, { once: true })
      reply.raw.once('close', () => closed.removeEventListener('abort', leave))
    })
    // A large answer goes from its route to the connection as it is: nothing between has all of it.
    app.addHook('onSend', async (_request, _reply, payload) => {
      const call = innerCalls.getStore()
      if (!call || !(payload instanceof LargeResponse)) return payload
      call.answer = payload
      return ''
    })
  }

  /** A message that does what a route does, with the same fields, checks, answers and errors. */
  message(type: string, { route, action, large = false }: Options): Message {
    const found = () => this.#routes.get(route) ?? unknown(route)
    return {
      type,
      action,
      help: () => {
        const { schema, documentation } = found()
        const { description, returns = '', notes, example } = documentation
        const params = paramsOf(schema.body ?? schema.querystring) ?? {}
        return { description, params, returns, notes, example }
      },
      run: async (call) => (large ? () => this.#ask(found(), call) : this.#ask(found(), call)),
    }
  }

  /** What a route does when its client leaves, it does when the connection is gone. */
  async #ask(route: Route, call: Call): Promise<string | LargeResponse> {
    if (call.closed.aborted) throw new RouteRefusal('{}')
    try {
      const { fields, largeBytes: bytes } = call
      const inner: InnerCall = { body: bytes === undefined ? undefined : { fields, bytes }, closed: call.closed }
      const answer = await innerCalls.run(inner, () => this.#inject(route, call))
      return inner.answer ?? answer
    } catch (error) {
      if (call.closed.aborted) throw new RouteRefusal('{}')
      throw error
    }
  }

  async #inject({ method, url, schema }: Route, { token, fields, largeBytes }: Call): Promise<string> {
    const takesBody = method !== 'GET'
    const { statusCode, payload } = await this.#app.inject({
      method: method as 'GET' | 'POST',
      url,
      headers: { authorization: `Bearer ${token}`, ...(takesBody ? { 'content-type': 'application/json' } : {}) },
      ...(takesBody ? { payload: largeBytes === undefined ? JSON.stringify(fields) : '{}' } : {}),
      ...(!takesBody && schema.querystring ? { query: fields as Record<string, string> } : {}),
    })
    if (statusCode >= 400) throw new RouteRefusal(payload)
    return payload
  }
}

function unknown(route: string): never {
  throw new Error(`There is no documented route "${route}"`)
}
