import { AsyncLocalStorage } from 'node:async_hooks'
import type { LargeAnswer } from './large-answer.ts'

/** A request that the server makes of itself, for a message that does what a route does. */
export interface InnerCall {
  /** The body, read already, and how many bytes it had; undefined when it comes as JSON like anybody's. */
  body: { fields: Record<string, unknown>; bytes: number } | undefined
  /** Aborts when nobody waits for the answer any more. */
  closed: AbortSignal
  /** The answer, where it is a large one. */
  answer?: LargeAnswer
}

/** The one in which code runs. */
export const innerCalls = new AsyncLocalStorage<InnerCall>()
