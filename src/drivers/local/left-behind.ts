import { readPids, readStat } from './monitor/process-tree.ts'

/**
 * For how long, in milliseconds, the first live process of a cgroup has run that is none of `known`; undefined when there is none. What a
 * process calls itself, whose child it is and in which session plays no part: only that it is there.
 */
export function leftBehindMs(procs: string, known: ReadonlySet<number>): number | undefined {
  for (const pid of readPids(procs)) {
    // 0 is one that this server's own namespace does not show.
    const stat = pid === 0 || known.has(pid) ? undefined : readStat(pid)
    if (stat?.isLive) return Math.max(0, performance.now() + (ownBegunAtTick - stat.begunAtTick) * msPerTick)
  }
  return undefined
}

const msPerTick = 10
/** This server's, with which `performance.now()` began: so nothing has to be known of when the host did. */
const ownBegunAtTick = readStat('self')!.begunAtTick
