import { readFileSync } from 'node:fs'

/**
 * The process id that a process has in its own computer, by its id on the host: the second of `NSpid`, which no process
 * can change of itself. 0 when it is gone.
 */
export function readInsidePid(pid: number): number {
  try {
    return Number(/^NSpid:\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
