import { AsyncLocalStorage } from 'node:async_hooks'
import type { LargeResponse } from './large-response.ts'

/** A request that the server makes to one of its own routes, for a WebSocket message that does what the route does. */
export interface InnerCall {
  /** The parsed body and its size in bytes; undefined when it is sent as JSON like any client's. */
  body: { fields: Record<string, unknown>; bytes: number } | undefined
  /** Aborts when nothing waits for the response any more. */
  closed: AbortSignal
  /** The response, if it is a large one. */
  answer?: LargeResponse
}

/** The inner call that the current code handles, if any. */
export const innerCalls = new AsyncLocalStorage<InnerCall>()
