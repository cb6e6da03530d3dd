import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Settings } from '../config/settings.ts'
import type { Database } from '../db/schema.ts'
import type { Driver } from '../drivers/driver.ts'
import type { HelperStates } from '../helper-states.ts'
import type { DatabaseHealth } from './database-health.ts'
import type { DescriptorBudget } from './budgets/descriptor-budget.ts'
import type { MemoryBudget } from './budgets/memory-budget.ts'
import type { Links } from './links.ts'
import type { Locks } from './locks.ts'
import type { NodeLease } from './nodes/node-lease.ts'
import type { ThisNode } from './nodes/this-node.ts'

/**
 * What every room of the engine may use. Each room adds what it keeps in memory (`identity/identity.ts`,
 * `money/money.ts`, `computers/computers.ts`), and a function names the parts that it uses: `Pick<MoneyContext, 'db' |
 * 'prices'>`.
 */
export interface Context {
  db: Kysely<Database>
  /** The node that this server serves. Rows of other nodes are other servers' to act on. */
  node: ThisNode
  nodeLease: NodeLease
  databaseHealth: DatabaseHealth
  driver: Driver
  settings: Settings
  log: Logger
  locks: Locks
  server: ServerState
  budgets: Budgets
}

/** The server as a whole: its address, its owner, and whether it is shutting down. */
export interface ServerState {
  /** Returns the server's address for links and tokens. A request's Host header never changes it. */
  origin: () => string
  /** Below that address: where the engine sends users and programs. */
  links: Links
  /** The first account, created when the server was set up. */
  ownerId: string
  /** Health of the engine's own dependencies; the driver reports on its own. */
  helpers: HelperStates
  /** True once the server has proved that it can serve requests; it answers some before. */
  isStarted: boolean
  /** Aborts when the server is asked to stop; endless work ends then. */
  stopping: AbortSignal
  /** Aborts when the server must exit now; pending waits fail then. */
  closing: AbortSignal
}

/** Shared resources that no account may use up. */
export interface Budgets {
  /** Memory for large requests and answers. */
  memory: MemoryBudget
  /** The server's own file descriptors. */
  descriptors: DescriptorBudget
  /** The monitor's file descriptors, which processes take. */
  processDescriptors: DescriptorBudget
}
