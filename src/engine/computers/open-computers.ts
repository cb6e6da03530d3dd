import { availableParallelism } from 'node:os'
import { limits, outputTotalBytes } from '../../config/limits.ts'
import { FairSemaphore } from '../../fair-semaphore.ts'
import type { IdentityContext } from '../identity/identity.ts'
import { Operations, type OperationWork } from '../operations/operations.ts'
import { CreditClock } from '../money/credit/credit-clock.ts'
import type { Computers, ComputersContext, ImageDefaults } from './computers.ts'
import { watchAccount } from './credit/watch-credit.ts'
import { OpenSessions } from './access-sessions/open-sessions.ts'
import { Watchers } from './files/watchers.ts'
import { Gauges } from './gauges/gauges.ts'
import { Images } from './images.ts'
import { Kernels } from './interpreters/kernels.ts'
import { Activity } from './lifecycle/activity.ts'
import { Desktops } from './desktop/desktops.ts'
import { Sounds } from './desktop/sounds.ts'
import { buildDesktopImage, imageBuildKind } from './durable/build-desktop-image.ts'
import { computerWorks } from './durable/computer-operations.ts'
import { DesktopImage, type PlannedImage } from './durable/desktop-image.ts'
import { snapshotWorks } from './snapshots/snapshot-operations.ts'
import { WarmPool } from './lifecycle/warm-pool.ts'
import { LiveEvents } from './live-events.ts'
import { PortVisits } from './ports/port-visits.ts'
import { ExposedPorts } from './ports/exposed-ports.ts'
import { PortWatch } from './ports/port-watch.ts'
import { Terminals } from './terminals/terminals.ts'
import { ClientPresence } from './processes/client-presence.ts'
import { keptBytesOf, OutputRetention } from './processes/output-retention.ts'
import { UnreadOutput } from './processes/unread-output.ts'
import { Programs } from './processes/programs.ts'
import { ProcessRecorder } from './processes/recorder.ts'

interface OfServer {
  image: ImageDefaults
  desktopImage?: PlannedImage | undefined
  /** What the operations of the rooms above do. */
  works: Record<string, OperationWork>
}

/**
 * Assembles the room of computers.
 *
 * @param context returns the finished context, for parts that use it later
 * @param onOutputOver called when the kept output of ended processes exceeds a limit
 */
export function openComputers(
  { db, node, driver, settings, log, locks, databaseHealth, meter, prices, server }: IdentityContext,
  { image, desktopImage, works }: OfServer,
  context: () => ComputersContext,
  onOutputOver: () => void,
): Omit<Computers, 'ssh' | 'shareLinks'> {
  const liveEvents = new LiveEvents()
  const outputRetention = new OutputRetention(() => outputTotalBytes(driver.metrics().disk.sizeBytes))
  return {
    activity: new Activity(),
    operations: new Operations(
      { db, node, log, server },
      {
        ...computerWorks(context),
        ...snapshotWorks(context),
        [imageBuildKind]: (_, report) => buildDesktopImage(context(), report),
        ...works,
      },
    ),
    desktopImage: new DesktopImage(driver.images, desktopImage ?? { id: image.id, recipe: undefined }),
    warmPool: new WarmPool(context),
    liveEvents,
    exposedPorts: new ExposedPorts(),
    openSessions: new OpenSessions(),
    portVisits: new PortVisits(),
    portWatch: new PortWatch(driver, liveEvents, log),
    watchers: new Watchers(),
    kernels: new Kernels(locks),
    desktops: new Desktops(),
    sounds: new Sounds(),
    terminals: new Terminals(),
    gauges: new Gauges(driver),
    programs: new Programs(),
    recorder: new ProcessRecorder({
      db,
      node,
      driver,
      log,
      health: databaseHealth,
      onEnded: (row) => {
        if (outputRetention.add({ ...row, bytes: keptBytesOf(row) })) onOutputOver()
      },
    }),
    outputRetention,
    clientPresence: new ClientPresence(),
    unreadOutput: new UnreadOutput(),
    creditClock: new CreditClock({
      meter,
      price: prices.meters.compute,
      everyMs: settings.sweepIntervalMs,
      check: (accountId) =>
        void watchAccount(context(), accountId).catch((error: unknown) =>
          log.error({ err: error, account: accountId }, 'cannot check whether an account can pay'),
        ),
    }),
    creates: new FairSemaphore({
      ...startsAtOnce,
      action: 'start the sandbox',
      maxHoldMs: limits.createHoldMs,
      maxWaitingOfOne: limits.waitingCreatesPerAccount,
    }),
    starts: new FairSemaphore({
      ...startsAtOnce,
      action: 'start the process',
      maxHoldMs: limits.startHoldMs,
      maxWaitingOfOne: limits.waitingStartsPerAccount,
    }),
    searches: new FairSemaphore({
      action: 'search files',
      permits: limits.searches,
      // The limit of time of a search ends those that hang.
      maxHoldMs: limits.searchMs * 2,
      maxWaitingOfOne: limits.searchesWaitingPerAccount,
      maxWaiting: limits.searchesWaitingTotal,
    }),
    starting: new Map(),
    images: new Images(driver.images, log, image),
    defaultImage: image,
    startedProcesses: 0,
  }
}

/** More concurrent starts than this give no higher throughput, and each takes longer. */
const startsAtOnce = { permits: availableParallelism() * 2, maxWaiting: limits.waitingStarts }
