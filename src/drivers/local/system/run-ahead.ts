import { call } from './libc.ts'

/**
 * Gives a program that was just started real-time priority, so that it runs before all programs of ordinary priority.
 * Its children have ordinary priority again. Has no effect where the kernel does not allow it (a control group without
 * a real-time share).
 */
export function runAhead(pid: number): void {
  const priority = Buffer.alloc(4)
  priority.writeInt32LE(1)
  try {
    call('sched_setscheduler', pid, SCHED_FIFO | SCHED_RESET_ON_FORK, priority)
  } catch {
    // The program keeps ordinary priority.
  }
}

const SCHED_FIFO = 1
const SCHED_RESET_ON_FORK = 0x4000_0000
