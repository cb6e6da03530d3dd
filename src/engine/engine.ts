import type { Computers } from './computers/computers.ts'
import type { Context } from './context.ts'
import type { ResponseSizes } from './idempotency/response-sizes.ts'
import type { Identity } from './identity/identity.ts'
import type { Money } from './money/money.ts'

/** The whole engine, as surfaces see it. Made in `open-engine.ts`; its rooms know only themselves and the rooms below. */
export type Engine = Context & Money & Identity & Computers & { responseSizes: ResponseSizes }
