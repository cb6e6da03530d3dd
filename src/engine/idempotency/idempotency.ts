import type { Context } from '../context.ts'
import type { ResponseSizes } from './response-sizes.ts'

/** What functions of idempotency may use. */
export type IdempotencyContext = Context & Idempotency

/** What idempotency keeps in memory. */
export interface Idempotency {
  responseSizes: ResponseSizes
  /**
   * The claims of requests that this server is carrying out, by the ids of their processes. A key that the database has
   * as in progress on this node, and that is not among them, is one whose end could not be recorded.
   */
  openClaims: Set<string>
}
