import { readStat } from '../monitor/process-tree.ts'

/**
 * For how long, in milliseconds, the first live process of `pids` has run that is none of `known`; undefined when there is none. What a
 * process calls itself, whose child it is and in which session plays no part: only that it is there.
 */
export function orphanedMs(pids: readonly number[], known: ReadonlySet<number>): number | undefined {
  for (const pid of pids) {
    const stat = known.has(pid) ? undefined : readStat(pid)
    if (stat?.isLive) return Math.max(0, performance.now() + (ownBegunAtTick - stat.begunAtTick) * msPerTick)
  }
  return undefined
}

const msPerTick = 10
/** This server's, with which `performance.now()` began: so nothing has to be known of when the host did. */
const ownBegunAtTick = readStat('self')!.begunAtTick
