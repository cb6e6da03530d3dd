import type { Context } from '../context.ts'
import type { ResponseSizes } from './response-sizes.ts'

/** What functions of idempotency may use. */
export type IdempotencyContext = Context & { responseSizes: ResponseSizes }
