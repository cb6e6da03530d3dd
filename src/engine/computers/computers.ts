import type { FairSemaphore } from '../../fair-semaphore.ts'
import type { IdentityContext } from '../identity/identity.ts'
import type { CreditClock } from '../money/credit/credit-clock.ts'
import type { Desktops } from './desktop/desktops.ts'
import type { Sounds } from './desktop/sounds.ts'
import type { DesktopImage } from './durable/desktop-image.ts'
import type { Watchers } from './files/watchers.ts'
import type { OpenSessions } from './access-sessions/open-sessions.ts'
import type { Gauges } from './gauges/gauges.ts'
import type { Kernels } from './interpreters/kernels.ts'
import type { Images } from './images.ts'
import type { Operations } from '../operations/operations.ts'
import type { Activity } from './lifecycle/activity.ts'
import type { WarmPool } from './lifecycle/warm-pool.ts'
import type { LiveEvents } from './live-events.ts'
import type { PortVisits } from './ports/port-visits.ts'
import type { ExposedPorts } from './ports/exposed-ports.ts'
import type { PortWatch } from './ports/port-watch.ts'
import type { ShareLinks } from './shares/share-links.ts'
import type { Ssh } from './ssh/ssh.ts'
import type { Terminals } from './terminals/terminals.ts'
import type { ClientPresence } from './processes/client-presence.ts'
import type { OutputRetention } from './processes/output-retention.ts'
import type { UnreadOutput } from './processes/unread-output.ts'
import type { Programs } from './processes/programs.ts'
import type { ProcessRecorder } from './processes/recorder.ts'

/** What the room of computers keeps in memory: what runs, what uses it, and what waits to start. */
export interface Computers {
  activity: Activity
  operations: Operations
  warmPool: WarmPool
  liveEvents: LiveEvents
  exposedPorts: ExposedPorts
  openSessions: OpenSessions
  shareLinks: ShareLinks
  portVisits: PortVisits
  portWatch: PortWatch
  watchers: Watchers
  kernels: Kernels
  desktops: Desktops
  sounds: Sounds
  terminals: Terminals
  gauges: Gauges
  programs: Programs
  recorder: ProcessRecorder
  outputRetention: OutputRetention
  clientPresence: ClientPresence
  unreadOutput: UnreadOutput
  creditClock: CreditClock
  ssh: Ssh
  /** Admits starts of computers. */
  creates: FairSemaphore
  /** Admits starts of processes. */
  starts: FairSemaphore
  /** Admits searches in files. */
  searches: FairSemaphore
  /** The number of processes being started right now, by computer. */
  starting: Map<string, number>
  /** The defaults that processes get from their computer's image. */
  images: Images
  /** The image that new computers get. */
  defaultImage: ImageDefaults
  /** The image that new computers get that keep their files. */
  desktopImage: DesktopImage
  /** The number of processes started since the server began, for the metrics. */
  startedProcesses: number
}

/** What the functions of the room of computers may use. */
export type ComputersContext = IdentityContext & Computers

export interface ImageDefaults {
  id: string
  env: Record<string, string>
  user: string
  workdir: string
  /** Programs that the image contains by its recipe, by purpose; undefined where the recipe does not say. */
  tools?: Record<string, string[]> | undefined
}
