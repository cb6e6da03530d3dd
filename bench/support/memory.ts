import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const KiB = 1024

/** What the host could still give to programs, in bytes. */
export function availableBytes(): number {
  return field(readFileSync('/proc/meminfo', 'latin1'), 'MemAvailable') * KiB
}

/** Memory of a process in bytes, of which what it shares counts by its part. */
export function proportionalBytes(pid: number): number {
  return field(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'), 'Pss') * KiB
}

/** Host process ids of the first processes of all computers. */
export function firstProcesses(dataDirectory: string): number[] {
  const computers = join(dataDirectory, 'computers')
  return readdirSync(computers).map((id) => Number(readFileSync(join(computers, id, 'pid'), 'latin1')))
}

/** The monitor inherits every computer's first process. */
export function parentOf(pid: number): number {
  return field(readFileSync(`/proc/${pid}/status`, 'latin1'), 'PPid')
}

function field(content: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(content)?.[1] ?? 0)
}
