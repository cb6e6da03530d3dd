import type { ComputerContext } from './computer-context.ts'

/**
 * Ends what runs of a computer, and removes what only a running computer has: container, control groups, small files
 * and network slot. When that fails, the computer stays in `unclearedIds`, and its next start tries again.
 */
export async function clearRuntimeState(context: ComputerContext, id: string): Promise<void> {
  const { states, disks, diskShares, guestFiles, cgroups, paths } = context
  states.unclearedIds.add(id)
  states.setStopped(id)
  disks.remove(id)
  await diskShares.remove(id).catch(() => {})
  await removeContainer(context, id)
  await cgroups.remove(paths.cgroup(id))
  await guestFiles.remove(id)
  await releaseSlot(context, id)
  states.unclearedIds.delete(id)
}

/** Clears the runtime state of a computer that exists and is not running. */
export async function clearUnlessRunning(context: ComputerContext, id: string): Promise<void> {
  if (context.store.get(id) && !context.states.isRunning(id)) await clearRuntimeState(context, id)
}

async function removeContainer(
  { runtime, cgroups, paths }: Pick<ComputerContext, 'runtime' | 'cgroups' | 'paths'>,
  id: string,
): Promise<void> {
  await runtime.delete(id).catch(async () => {
    // The host may not have the resources to run the runtime's program. These steps need no program.
    await cgroups.remove(paths.cgroup(id))
    await runtime.forget(id)
  })
}

async function releaseSlot(
  { store, slotPool }: Pick<ComputerContext, 'store' | 'slotPool'>,
  id: string,
): Promise<void> {
  const slot = store.get(id)?.slot
  if (slot === undefined) return
  await slotPool.release(slot)
  await store.setSlot(id, undefined)
}
