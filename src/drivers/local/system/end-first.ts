import { writeFileSync } from 'node:fs'

/**
 * Makes the kernel kill a program and its descendants before the server, the monitor and other programs of the host
 * when the host itself runs out of memory. Where this program has CAP_SYS_RESOURCE, a guest cannot lower the score
 * again.
 */
export function endFirst(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, guestOomScore)
  } catch {
    // The program has ended already.
  }
}

/** On the scale from -1000 to 1000; programs of the host have 0. */
const guestOomScore = '500'
