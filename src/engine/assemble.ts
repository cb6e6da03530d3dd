import { totalmem } from 'node:os'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import { limits } from '../config/limits.ts'
import { listenAddress } from '../config/listen-address.ts'
import type { Settings } from '../config/settings.ts'
import type { Database } from '../db/schema.ts'
import type { Driver } from '../drivers/driver.ts'
import { HelperStates } from '../helper-states.ts'
import { DescriptorBudget } from './budgets/descriptor-budget.ts'
import { descriptorLimit } from './budgets/descriptor-limit.ts'
import { MemoryBudget } from './budgets/memory-budget.ts'
import type { ImageDefaults } from './computers/computers.ts'
import type { PlannedImage } from './computers/durable/desktop-image.ts'
import { openComputers } from './computers/open-computers.ts'
import { ShareLinks } from './computers/shares/share-links.ts'
import { Ssh } from './computers/ssh/ssh.ts'
import type { Budgets, Context } from './context.ts'
import { DatabaseHealth } from './database-health.ts'
import type { Engine } from './engine.ts'
import { environmentWorks, openEnvironments } from './environments/open-environments.ts'
import { ResponseSizes } from './idempotency/response-sizes.ts'
import { ownerAccount } from './identity/accounts/owner.ts'
import { openIdentity } from './identity/open-identity.ts'
import type { Links } from './links.ts'
import { Locks } from './locks.ts'
import { openMoney } from './money/open-money.ts'
import { nodeFacts } from './nodes/node-facts.ts'
import { NodeLease } from './nodes/node-lease.ts'
import type { ThisNode } from './nodes/this-node.ts'
import type { Secrets } from './secrets/secrets.ts'
import { Uptime } from './uptime/uptime.ts'

/** What the engine is assembled from. */
export interface Parts {
  db: Kysely<Database>
  /** The claimed node. */
  node: ThisNode
  secrets: Pick<Secrets, 'get'>
  driver: Driver
  settings: Settings
  log: Logger
  image: ImageDefaults
  /** The image of computers that keep their files; undefined for the same image. */
  desktopImage?: PlannedImage | undefined
  /** Returns where the engine sends users and programs, below an origin. */
  linksBelow: (origin: () => string) => Links
  stopping: AbortSignal
  closing: AbortSignal
  /** Called when the node is another server's: this server must end without doing anything more. */
  onNodeLost: (error: Error) => void
}

/**
 * Assembles the engine, room by room. Nothing runs yet.
 *
 * @param onOutputOver called when the kept output of ended processes is over its limit
 */
export async function assemble(
  { secrets, image, desktopImage, linksBelow, stopping, closing, onNodeLost, ...parts }: Parts,
  onOutputOver: () => void,
): Promise<Engine> {
  const origin = () => parts.settings.publicUrl ?? listenAddress(parts.settings)
  const helpers = new HelperStates()
  const databaseHealth = new DatabaseHealth({ ...parts, helpers })
  const context: Context = {
    ...parts,
    databaseHealth,
    nodeLease: new NodeLease({
      ...parts,
      health: databaseHealth,
      facts: () => nodeFacts(parts.settings),
      onLost: onNodeLost,
    }),
    locks: new Locks(),
    server: {
      origin,
      links: linksBelow(origin),
      ownerId: await ownerAccount(parts.db),
      helpers,
      isStarted: false,
      stopping,
      closing,
    },
    budgets: openBudgets(),
  }
  const withMoney = { ...context, ...(await openMoney(context, secrets)) }
  const withIdentity = { ...withMoney, ...(await openIdentity(withMoney, secrets)) }
  const works = environmentWorks(() => engine)
  const computers = openComputers(withIdentity, { image, desktopImage, works }, () => engine, onOutputOver)
  const engine: Engine = {
    ...withIdentity,
    ...computers,
    ...openEnvironments(computers, () => engine),
    ssh: await Ssh.open(secrets),
    shareLinks: await ShareLinks.open(secrets),
    responseSizes: new ResponseSizes(),
    openClaims: new Set(),
    uptime: new Uptime({ ...parts, stopping }),
  }
  return engine
}

function openBudgets(): Budgets {
  return {
    memory: new MemoryBudget({
      totalBytes: Math.min(limits.largeMemoryBytes, totalmem() / 4),
      accountBytes: limits.largeMemoryPerAccountBytes,
      maxWaiting: limits.largeMemoryWaitingPerAccount,
      maxWaitMs: limits.largeMemoryWaitMs,
    }),
    descriptors: new DescriptorBudget(descriptorLimit()),
    processDescriptors: new DescriptorBudget(descriptorLimit()),
  }
}
