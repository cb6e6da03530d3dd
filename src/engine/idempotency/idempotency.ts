import type { Context } from '../context.ts'
import type { ResponseCache } from './response-cache.ts'

/** What functions of idempotency may use: answers that were given lately are kept in memory. */
export type IdempotencyContext = Context & { responseCache: ResponseCache }
