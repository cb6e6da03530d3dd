import { writeFileSync } from 'node:fs'

/**
 * When the host itself runs out of memory, has the kernel end a program, and what it starts in its turn, sooner than the server,
 * the monitor and other programs of the host. A guest cannot lower it again where this host may raise limits (CAP_SYS_RESOURCE).
 */
export function endFirst(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, guestOomScore)
  } catch {
    // It has ended already.
  }
}

/** Of -1000 to 1000; a program of the host has 0. */
const guestOomScore = '500'
