import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { PriceBook } from '../config/price-book.ts'
import type { Settings } from '../config/settings.ts'
import type { Database } from '../db/schema.ts'
import type { Driver } from '../drivers/driver.ts'
import type { HelperStates } from '../helper-states.ts'
import type { Activity } from './computers/activity.ts'
import type { WarmPool } from './computers/warm-pool.ts'
import type { CreditClock } from './credit/credit-clock.ts'
import type { CreditWatch } from './credit/credit-watch.ts'
import type { OpenCallers } from './accounts/open-callers.ts'
import type { DescriptorBudget } from './descriptors/budget.ts'
import type { Departures } from './deletion/departures.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { FairGate } from '../fair-gate.ts'
import type { KeyedLock } from '../keyed-lock.ts'
import type { LiveEvents } from './events/live-events.ts'
import type { PortWatch } from './ports/port-watch.ts'
import type { Watchers } from './files/watchers.ts'
import type { Kernels } from './interpreters/kernels.ts'
import type { MachinePayments } from './machine-payments/machine-payments.ts'
import type { Attendance } from './processes/attendance.ts'
import type { ExposedPorts } from './ports/exposed-ports.ts'
import type { KeptAnswers } from './idempotency/kept-answers.ts'
import type { KeptOutput } from './processes/kept-output.ts'
import type { ProcessRecorder } from './processes/recorder.ts'
import type { ComputeMeter } from './usage/compute-meter.ts'
import type { StripeAccount } from './payments/open-stripe.ts'
import type { AccessTokens } from './sign-in/access-tokens.ts'
import type { KnownCallers } from './sign-in/known-callers.ts'
import type { Mail } from './sign-in/mail.ts'
import type { OwnTokens } from './sign-in/own-tokens.ts'
import type { TrustedIssuers } from './sign-in/trusted-issuers.ts'

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
  keptOutput: KeptOutput
  keptAnswers: KeptAnswers
  warmPool: WarmPool
  attendance: Attendance
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
  departures: Departures
  openCallers: OpenCallers
  mail: Mail
  accessTokens: AccessTokens
  issuers: TrustedIssuers
  ownTokens: OwnTokens
  callers: KnownCallers
  machinePayments: MachinePayments
  /** The address of the server in links and tokens. Never what a request calls it. */
  origin: () => string
  /** The server's own file descriptors, and those of the monitor that processes have. */
  descriptors: DescriptorBudget
  processDescriptors: DescriptorBudget
  /** Where starts of computers wait for their turn. */
  creates: FairGate
  /** Where starts of processes wait for their turn. */
  starts: FairGate
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
