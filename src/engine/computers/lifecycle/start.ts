import { limits } from '../../../config/limits.ts'
import type { ComputerRow } from '../../../db/schema.ts'
import { asCarrelError, CarrelError } from '../../../errors.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import { openUsage } from '../../money/usage/metered.ts'
import { transition } from './transition.ts'
import type { ComputersContext } from '../computers.ts'

/**
 * Starts a computer from `provisioning`, `stopped` or `failed`, creating it where it does not exist, and returns what
 * changed in its row. A sandbox without files gets the default image. The caller holds the computer's lock. When the
 * start fails, its state is `failed`, with the reason; nothing of the computer is left on the host but the files of one
 * that keeps them. When the database fails, the computer does not run either. Throws `unavailable` when a computer that
 * keeps its files has none on this host, though it ran before.
 */
export async function startComputer(
  engine: ComputersContext,
  row: ComputerRow,
  actor: string,
): Promise<Pick<ComputerRow, 'state' | 'image' | 'started_at' | 'last_active_at'>> {
  const { driver, defaultImage } = engine
  const { keepsFiles, runsOnce } = policyOf(row)
  let { image } = row
  let hasFiles = false
  if (row.state !== 'provisioning')
    await transition(engine, row, { from: ['stopped', 'failed'], to: 'starting', actor })
  try {
    await engine.creates.run(row.account_id ?? warmPoolKey, async () => {
      const exists = row.state !== 'provisioning' && (await driver.get(row.id)) !== undefined
      hasFiles = exists && keepsFiles
      if (!exists && keepsFiles && row.started_at !== null) throw filesMissing()
      if (!exists && !keepsFiles && !runsOnce) image = defaultImage.id
      if (!exists) await driver.create(specification({ ...row, image }))
      await driver.start(row.id)
    })
  } catch (error) {
    const cleanUp = hasFiles ? driver.stop(row.id, limits.stopGraceMs) : driver.destroy(row.id)
    await cleanUp.catch((cause: unknown) =>
      engine.log.error({ err: cause, computer: row.id }, 'cannot clean up after a failed start'),
    )
    // Owners see the reason; what an unknown error says can name paths of the host.
    const { code, message: reason } = asCarrelError(error)
    if (code === 'internal') engine.log.error({ err: error, computer: row.id }, 'cannot start a computer')
    await transition(engine, row, { from: ['provisioning', 'starting'], to: 'failed', actor, reason })
    throw error
  }
  const now = Date.now()
  const set = { image, started_at: now, last_active_at: now }
  try {
    await transition(engine, row, { from: ['provisioning', 'starting'], to: 'running', actor, set })
    await openUsage(engine, row)
  } catch (error) {
    await endUnrecorded(engine, row)
    throw error
  }
  return { ...set, state: 'running' }
}

/**
 * Ends a computer that runs, and of which the database does not know that or to whom it belongs: nothing would charge it.
 * The periodic work settles its row.
 */
export async function endUnrecorded(
  { driver, log }: Pick<ComputersContext, 'driver' | 'log'>,
  row: Pick<ComputerRow, 'id' | 'lifecycle'>,
): Promise<void> {
  const ended = policyOf(row).keepsFiles ? driver.stop(row.id, limits.stopGraceMs) : driver.destroy(row.id)
  await ended.catch((error: unknown) =>
    log.error({ err: error, computer: row.id }, 'cannot end a computer that is not recorded as running'),
  )
}

function filesMissing(): CarrelError {
  return new CarrelError('unavailable', 'Cannot start the computer: its files are not on this host')
}

function specification(row: ComputerRow) {
  const size = { cpus: row.cpus, memoryBytes: row.memory_bytes, diskBytes: row.disk_bytes, pids: row.pids }
  const source = row.snapshot_id === null ? { image: row.image } : { snapshot: row.snapshot_id }
  return { id: row.id, source, hostname: hostnameOf(row), limits: size }
}

/** A name that was chosen for a computer is what its shell shows; names of sandboxes can be any text. */
function hostnameOf({ id, name, lifecycle }: ComputerRow): string {
  return policyOf({ lifecycle }).keepsFiles && name ? name : id.slice(0, 12)
}

/** The key under which starts of the warm pool queue, as its computers belong to no account yet. */
const warmPoolKey = ''
