import { readFileSync } from 'node:fs'

/**
 * Returns the id that a process has inside its computer, for its id on the host: the second of `NSpid`, which a process
 * cannot change. 0 when the process does not exist any more.
 */
export function readInsidePid(pid: number): number {
  try {
    return Number(/^NSpid:\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
