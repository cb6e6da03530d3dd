import { call } from './libc.ts'

/**
 * Lets a program that was just started run as soon as it can, before every program of ordinary priority; what it starts
 * in its turn is ordinary again. Where the kernel does not allow it (a control group without real-time share) nothing
 * changes.
 */
export function runAhead(pid: number): void {
  const priority = Buffer.alloc(4)
  priority.writeInt32LE(1)
  try {
    call('sched_setscheduler', pid, SCHED_FIFO | SCHED_RESET_ON_FORK, priority)
  } catch {
    // It runs like any other.
  }
}

const SCHED_FIFO = 1
const SCHED_RESET_ON_FORK = 0x4000_0000
