import { setTimeout as delay } from 'node:timers/promises'
import type { ComputerContext } from './computer-context.ts'

/**
 * Kills the processes of a computer except its first one and `exceptPids`, which are host ids. Repeats that until none
 * is found, as a process that is just being forked is missed.
 */
export async function endPrograms(
  { cgroups, paths, states }: Pick<ComputerContext, 'cgroups' | 'paths' | 'states'>,
  id: string,
  exceptPids: readonly number[],
): Promise<void> {
  for (let tries = 0; tries < maxTries; tries++) {
    const first = states.pid(id)
    if (first === undefined || cgroups.kill(paths.cgroup(id), new Set([first, ...exceptPids])) === 0) return
    await delay(retryMs)
  }
}

const maxTries = 20
const retryMs = 10
