import { readFileSync } from 'node:fs'
import { readPids } from './monitor/process-tree.ts'

/**
 * For how long, in milliseconds, the first live process of a cgroup has run that is none of `known`; undefined when there is none. What a
 * process calls itself, whose child it is and in which session plays no part: only that it is there.
 */
export function leftBehindMs(procs: string, known: ReadonlySet<number>): number | undefined {
  for (const pid of readPids(procs)) {
    // 0 is one that this server's own namespace does not show.
    const begunAtTick = pid === 0 || known.has(pid) ? undefined : startOfLive(pid)
    if (begunAtTick !== undefined) return Math.max(0, performance.now() + (ownStartTick - begunAtTick) * msPerTick)
  }
  return undefined
}

/** When it began, in ticks of the kernel's clock; undefined when it has ended, whether or not its parent has taken note. */
function startOfLive(pid: number | 'self'): number | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, threads] = [fields[0], Number(fields[17])]
  // The first thread can end and be shown as dead while others go on.
  if ((state === 'Z' || state === 'X') && threads <= 1) return undefined
  return Number(fields[19])
}

/** Fixed by the kernel for all it tells. */
const msPerTick = 10
/** This server's, with which `performance.now()` began: so nothing has to be known of when the host did. */
const ownStartTick = startOfLive('self')!
