import { limits } from '../../config/limits.ts'
import type { Settings } from '../../config/settings.ts'

/** Returns the limits as the documentation shows them. */
export function limitFacts(settings: Settings): [what: string, bound: string][] {
  const { computerCpus, computerMemoryBytes, computerDiskBytes, computerPids, idleTimeoutMs } = settings
  return [
    [
      'A sandbox',
      `${computerCpus} ${computerCpus === 1 ? 'processor' : 'processors'}, ${bytes(computerMemoryBytes)} of memory, ${bytes(computerDiskBytes)} of disk, ${computerPids} processes`,
    ],
    [
      'A sandbox without running processes or requests',
      `stops after ${duration(idleTimeoutMs)}; its files are deleted`,
    ],
    ['Sandboxes of an account', String(limits.computersPerAccount)],
    [
      'One call of execute',
      `${duration(limits.executeDefaultTimeoutMs)} by default; "timeout" changes it, and 0 means no limit`,
    ],
    [
      'Output in an answer of execute',
      `the last ${bytes(limits.executeOutputBytes)} of each stream; "truncated" is true if more was written`,
    ],
    [
      'A process started over HTTP',
      `${duration(limits.processDefaultTimeoutMs)} by default; "timeout" changes it, and 0 means no limit`,
    ],
    ['Concurrent processes of a sandbox', String(limits.processesPerComputer)],
    ['A JSON body with a file', bytes(limits.jsonBodyBytes)],
    ['A JSON body with code', bytes(limits.codeBodyBytes)],
    [
      'Any other body',
      `${bytes(limits.bodyBytes)}; ${bytes(limits.pathBodyBytes)} with paths, ${bytes(limits.commandBodyBytes)} with a command`,
    ],
    ['An uploaded file', bytes(limits.uploadBytes)],
    ['A file read into a JSON answer', bytes(limits.readBytes)],
    ['Memory of an account', bytes(limits.memoryQuotaBytes)],
    ['Ports exposed by a sandbox', String(limits.portsPerComputer)],
  ]
}

/** Returns a size such as `48 MiB`. */
function bytes(count: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(Math.floor(Math.log2(count) / 10), units.length - 1)
  return `${Number((count / 1024 ** power).toFixed(1))} ${units[power]}`
}

/** Returns a duration such as `15 minutes`. */
export function duration(ms: number): string {
  const [count, unit] =
    ms >= 3_600_000 ? [ms / 3_600_000, 'hour'] : ms >= 60_000 ? [ms / 60_000, 'minute'] : [ms / 1000, 'second']
  return `${Number(count.toFixed(1))} ${unit}${count === 1 ? '' : 's'}`
}
