import type { SnapshotTaken } from '../../driver.ts'
import type { ComputerContext } from './computer-context.ts'

type Context = Pick<ComputerContext, 'cgroups' | 'paths' | 'states' | 'volumes'>

/**
 * Takes a snapshot of a computer. A running computer is frozen meanwhile, so that the snapshot is of one moment; what
 * takes time is done before, while it runs.
 */
export async function snapshotComputer(
  context: Context,
  id: string,
  snapshotId: string,
  image: string,
): Promise<SnapshotTaken> {
  const { states, volumes } = context
  const take = async () => {
    const use = await volumes.use(id)
    await volumes.snapshot(id, snapshotId)
    return use
  }
  const runs = states.isRunning(id) && !states.isPaused(id)
  const taken = runs ? await whileFrozen(context, id, take) : { pausedMs: 0, use: await take() }
  await volumes.nameImage(snapshotId, image)
  return taken
}

async function whileFrozen(
  context: Context,
  id: string,
  take: () => Promise<SnapshotTaken['use']>,
): Promise<SnapshotTaken> {
  const { cgroups, paths, volumes } = context
  const group = paths.cgroup(id)
  for (let tries = 1; ; tries++) {
    await writeBack(volumes, id)
    const startedAt = performance.now()
    try {
      const isFrozen = await cgroups.freeze(group, true, maxFreezeMs)
      // A program that waits for a disk cannot be frozen; the others need not wait for it with the computer.
      if (!isFrozen && tries < maxFreezes) continue
      const use = await take()
      return { use, pausedMs: performance.now() - startedAt }
    } finally {
      await cgroups.freeze(group, false)
    }
  }
}

/** Writes back until little is left: a program that writes all the time adds to it meanwhile. */
async function writeBack(volumes: Context['volumes'], id: string): Promise<void> {
  for (let passes = 0; passes < maxPasses; passes++) {
    const startedAt = performance.now()
    await volumes.writeBack(id)
    if (performance.now() - startedAt < shortPassMs) return
  }
}

const maxPasses = 6
const shortPassMs = 15
const maxFreezeMs = 20
const maxFreezes = 5
