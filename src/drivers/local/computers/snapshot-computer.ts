import type { ComputerContext } from './computer-context.ts'

type Context = Pick<ComputerContext, 'cgroups' | 'paths' | 'states' | 'volumes'>

/**
 * Takes a snapshot of a computer. Where a copy takes time, a running computer is frozen meanwhile: otherwise a program
 * that removes files makes the copy fail, and the snapshot is of no one moment.
 */
export async function snapshotComputer(
  { cgroups, paths, states, volumes }: Context,
  id: string,
  snapshotId: string,
  image: string,
): Promise<void> {
  const freezes = !volumes.instantCopy && states.isRunning(id) && !states.isPaused(id)
  if (freezes) await cgroups.freeze(paths.cgroup(id), true)
  try {
    await volumes.snapshot(id, snapshotId, image)
  } finally {
    if (freezes) await cgroups.freeze(paths.cgroup(id), false)
  }
}
