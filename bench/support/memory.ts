import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const KiB = 1024

/** Returns the memory that is available to programs on the host, in bytes. */
export function availableBytes(): number {
  return field(readFileSync('/proc/meminfo', 'latin1'), 'MemAvailable') * KiB
}

/** Returns the memory of a process in bytes, with its proportion of shared memory. */
export function proportionalBytes(pid: number): number {
  return field(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'), 'Pss') * KiB
}

/** Returns the host process ids of the first processes of all computers. */
export function firstProcesses(dataDirectory: string): number[] {
  const computers = join(dataDirectory, 'computers')
  return readdirSync(computers).map((id) => Number(readFileSync(join(computers, id, 'pid'), 'latin1')))
}

/** Returns the parent of a process, which for a computer's first process is the monitor. */
export function parentOf(pid: number): number {
  return field(readFileSync(`/proc/${pid}/status`, 'latin1'), 'PPid')
}

function field(content: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(content)?.[1] ?? 0)
}
