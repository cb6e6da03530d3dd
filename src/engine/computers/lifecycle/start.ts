import { limits } from '../../../config/limits.ts'
import type { ComputerRow } from '../../../db/schema.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import { openUsage } from '../../money/usage/metered.ts'
import { transition } from './transition.ts'
import type { ComputersContext } from '../computers.ts'

/**
 * Starts a computer from `provisioning`, `stopped` or `failed`, creating it where it does not exist, and returns what
 * changed in its row. A computer without files gets the default image. The caller holds the computer's lock. When the
 * start fails, nothing of the computer is left on the host and its state is `failed`, with the reason. When the database
 * fails, the computer does not run either.
 */
export async function startComputer(
  engine: ComputersContext,
  row: ComputerRow,
  actor: string,
): Promise<Pick<ComputerRow, 'state' | 'image' | 'started_at' | 'last_active_at'>> {
  const { driver, defaultImage } = engine
  let { image } = row
  if (row.state !== 'provisioning')
    await transition(engine, row, { from: ['stopped', 'failed'], to: 'starting', actor })
  try {
    await engine.creates.run(row.account_id ?? warmPoolKey, async () => {
      const exists = row.state !== 'provisioning' && (await driver.get(row.id)) !== undefined
      if (!exists && !policyOf(row).keepsFiles) image = defaultImage.id
      if (!exists) await driver.create(specification({ ...row, image }))
      await driver.start(row.id)
    })
  } catch (error) {
    await driver
      .destroy(row.id)
      .catch((cause: unknown) =>
        engine.log.error({ err: cause, computer: row.id }, 'cannot clean up after a failed start'),
      )
    const reason = error instanceof Error ? error.message : String(error)
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

function specification(row: ComputerRow) {
  const size = { cpus: row.cpus, memoryBytes: row.memory_bytes, diskBytes: row.disk_bytes, pids: row.pids }
  return { id: row.id, source: { image: row.image }, hostname: row.id.slice(0, 12), limits: size }
}

/** The key under which starts of the warm pool queue, as its computers belong to no account yet. */
const warmPoolKey = ''
