import type { ComputerContext } from './computer-context.ts'

type Context = Pick<ComputerContext, 'cgroups' | 'paths' | 'states'>

/** Freezes the processes of a running computer. */
export async function pauseComputer({ cgroups, paths, states }: Context, id: string): Promise<void> {
  states.requireRunning(id)
  await cgroups.freeze(paths.cgroup(id), true)
  states.setPaused(id, true)
}

/** Does nothing when the computer is not paused. */
export async function resumeComputer({ cgroups, paths, states }: Context, id: string): Promise<void> {
  if (!states.isPaused(id)) return
  states.setPaused(id, false)
  await cgroups.freeze(paths.cgroup(id), false)
}
