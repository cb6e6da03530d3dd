import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { PriceBook } from '../config/price-book.ts'
import type { Settings } from '../config/settings.ts'
import type { Database } from '../db/schema.ts'
import type { Driver } from '../drivers/driver.ts'
import type { HelperStates } from '../helper-states.ts'
import type { Activity } from './computers/lifecycle/activity.ts'
import type { WarmPool } from './computers/lifecycle/warm-pool.ts'
import type { CreditClock } from './money/credit/credit-clock.ts'
import type { CreditWatch } from './money/credit/credit-watch.ts'
import type { LiveConnections } from './identity/accounts/live-connections.ts'
import type { DescriptorBudget } from './budgets/descriptor-budget.ts'
import type { AccountRemovals } from './identity/accounts/account-removals.ts'
import type { MemoryBudget } from './budgets/memory-budget.ts'
import type { FairSemaphore } from '../fair-semaphore.ts'
import type { KeyedLock } from '../keyed-lock.ts'
import type { LiveEvents } from './computers/live-events.ts'
import type { PortWatch } from './computers/ports/port-watch.ts'
import type { Watchers } from './computers/files/watchers.ts'
import type { Kernels } from './computers/interpreters/kernels.ts'
import type { MachinePayments } from './money/machine-payments/machine-payments.ts'
import type { ClientPresence } from './computers/processes/client-presence.ts'
import type { ExposedPorts } from './computers/ports/exposed-ports.ts'
import type { ResponseCache } from './idempotency/response-cache.ts'
import type { OutputRetention } from './computers/processes/output-retention.ts'
import type { ProcessRecorder } from './computers/processes/recorder.ts'
import type { ComputeMeter } from './money/usage/compute-meter.ts'
import type { StripeAccount } from './money/payments/open-stripe.ts'
import type { AccessTokens } from './identity/auth/access-tokens.ts'
import type { AuthCache } from './identity/auth/auth-cache.ts'
import type { Mail } from './identity/auth/mail.ts'
import type { OwnTokens } from './identity/auth/own-tokens.ts'
import type { TrustedIssuers } from './identity/auth/trusted-issuers.ts'

/** What every verb of the engine works with. Made in `open-engine.ts`. */
export interface Engine {
  db: Kysely<Database>
  driver: Driver
  settings: Settings
  log: Logger
  /** Of what the engine itself knows; the driver has its own. */
  helpers: HelperStates
  /** Work on one computer, one step after the other. */
  locks: KeyedLock
  activity: Activity
  exposedPorts: ExposedPorts
  recorder: ProcessRecorder
  outputRetention: OutputRetention
  responseCache: ResponseCache
  warmPool: WarmPool
  clientPresence: ClientPresence
  liveEvents: LiveEvents
  portWatch: PortWatch
  watchers: Watchers
  kernels: Kernels
  /** What large requests and answers may take. */
  memory: MemoryBudget
  prices: PriceBook
  meter: ComputeMeter
  credit: CreditWatch
  creditClock: CreditClock
  /** The first account, which the server was set up with. */
  ownerId: string
  /** undefined when nobody pays by Stripe. */
  stripe: StripeAccount | undefined
  accountRemovals: AccountRemovals
  liveConnections: LiveConnections
  mail: Mail
  accessTokens: AccessTokens
  issuers: TrustedIssuers
  ownTokens: OwnTokens
  callers: AuthCache
  machinePayments: MachinePayments
  /** The address of the server in links and tokens. Never what a request calls it. */
  origin: () => string
  /** The server's own file descriptors, and those of the monitor that processes have. */
  descriptors: DescriptorBudget
  processDescriptors: DescriptorBudget
  /** Where starts of computers wait for their turn. */
  creates: FairSemaphore
  /** Where starts of processes wait for their turn. */
  starts: FairSemaphore
  /** How many processes of each computer are being started in this moment. */
  starting: Map<string, number>
  /** The image that new computers get. */
  defaultImage: ImageDefaults
  /** Aborts when the server was told to stop: what would go on for ever ends then. */
  stopping: AbortSignal
  /** Aborts when the server has to end now: who waits for something long gives it up and says so. */
  closing: AbortSignal
  /** Processes that were started, for the metrics. */
  startedProcesses: number
}

export interface ImageDefaults {
  id: string
  env: Record<string, string>
  user: string
  workdir: string
  /** Programs in it, by what they are for; undefined where nobody said. */
  tools?: Record<string, string[]> | undefined
}

/** Who asks: an account by one of its tokens. */
export interface Caller {
  accountId: string
  /** The token's id, for the audit log. */
  tokenId: string
}
