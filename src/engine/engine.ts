import type { Computers } from './computers/computers.ts'
import type { Context } from './context.ts'
import type { Environments } from './environments/environments.ts'
import type { Idempotency } from './idempotency/idempotency.ts'
import type { Identity } from './identity/identity.ts'
import type { Money } from './money/money.ts'
import type { Uptime } from './uptime/uptime.ts'

/**
 * The whole engine, as surfaces see it. `assemble.ts` creates it; each room knows only itself and the rooms below it.
 */
export type Engine = Context & Money & Identity & Computers & Environments & Idempotency & { uptime: Uptime }
