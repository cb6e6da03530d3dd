import { AsyncLocalStorage } from 'node:async_hooks'
import type { FastifyInstance } from 'fastify'
import { LargeResponse } from './large-response.ts'

/** A request that the server makes to one of its own routes, for a WebSocket message that calls the route. */
export interface InnerCall {
  /** The parsed body and its size in bytes; undefined when it is sent as JSON like any client's. */
  body: { fields: Record<string, unknown>; bytes: number } | undefined
  /** Aborts when nothing waits for the response any more. */
  closed: AbortSignal
  /** The response, if it is a large one. */
  answer?: LargeResponse
  /** What the route would say in a header of its answer. */
  hint?: string
}

/** The inner call that the current code handles, if any. */
export const innerCalls = new AsyncLocalStorage<InnerCall>()

/**
 * Aborts a route when the caller of an inner call is gone, and passes a large response on as a stream, never as one
 * text.
 */
export function addInnerCalls(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    const closed = innerCalls.getStore()?.closed
    if (closed) {
      const leave = () => reply.raw.destroy()
      closed.addEventListener('abort', leave, { once: true })
      reply.raw.once('close', () => closed.removeEventListener('abort', leave))
    }
    done()
  })
  app.addHook('onSend', (_request, _reply, payload, done) => {
    const call = innerCalls.getStore()
    if (!call || !(payload instanceof LargeResponse)) return done(null, payload)
    call.answer = payload
    done(null, '')
  })
}
