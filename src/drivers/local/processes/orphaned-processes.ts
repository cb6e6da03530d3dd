import { readStat } from '../monitor/process-tree.ts'

/**
 * Returns for how long, in milliseconds, the first live process of `pids` has been running that is not in `known`;
 * undefined when there is none. Name, parent and session of a process do not matter.
 */
export function orphanedMs(pids: readonly number[], known: ReadonlySet<number>): number | undefined {
  for (const pid of pids) {
    const stat = known.has(pid) ? undefined : readStat(pid)
    if (stat?.isLive) return Math.max(0, performance.now() + (ownBegunAtTick - stat.begunAtTick) * msPerTick)
  }
  return undefined
}

const msPerTick = 10
/** When this server began, which is the origin of `performance.now()`, so that the host's boot time is not needed. */
const ownBegunAtTick = readStat('self')!.begunAtTick
