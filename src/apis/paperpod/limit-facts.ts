import { limits } from '../../config/limits.ts'
import type { Settings } from '../../config/settings.ts'

/** Returns what is bounded and how, as the documentation shows it. */
export function limitFacts(settings: Settings): [what: string, bound: string][] {
  const { computerCpus, computerMemoryBytes, computerDiskBytes, computerPids, idleTimeoutMs } = settings
  return [
    [
      'A sandbox',
      `${computerCpus} ${computerCpus === 1 ? 'processor' : 'processors'}, ${bytes(computerMemoryBytes)} of memory, ${bytes(computerDiskBytes)} of disk, ${computerPids} processes`,
    ],
    ['A sandbox in which nothing runs and nobody asks', `stops after ${duration(idleTimeoutMs)}; its files go with it`],
    ['Sandboxes of an account', String(limits.computersPerAccount)],
    [
      'One execute',
      `${duration(limits.executeDefaultTimeoutMs)} unless "timeout" says otherwise, at most ${duration(limits.executeTimeoutMs)}`,
    ],
    ['Output in its answer', `${bytes(limits.executeOutputBytes)} of each stream, the newest; "truncated" says so`],
    [
      'A process started over HTTP',
      `${duration(limits.processDefaultTimeoutMs)} unless "timeout" says otherwise; 0 is no limit`,
    ],
    ['Processes of a sandbox at the same time', String(limits.processesPerComputer)],
    ['A JSON body with a file', bytes(limits.jsonBodyBytes)],
    ['A JSON body with code', bytes(limits.codeBodyBytes)],
    [
      'Any other body',
      `${bytes(limits.bodyBytes)}; where it has paths ${bytes(limits.pathBodyBytes)}, with a command ${bytes(limits.commandBodyBytes)}`,
    ],
    ['An uploaded file', bytes(limits.uploadBytes)],
    ['A file read into a JSON answer', bytes(limits.readBytes)],
    ['Memory of an account', bytes(limits.memoryQuotaBytes)],
    ['Ports exposed by a sandbox', String(limits.portsPerComputer)],
  ]
}

/** Such as `48 MiB`. */
function bytes(count: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(Math.floor(Math.log2(count) / 10), units.length - 1)
  return `${Number((count / 1024 ** power).toFixed(1))} ${units[power]}`
}

/** Such as `15 minutes`. */
export function duration(ms: number): string {
  const [count, unit] =
    ms >= 3_600_000 ? [ms / 3_600_000, 'hour'] : ms >= 60_000 ? [ms / 60_000, 'minute'] : [ms / 1000, 'second']
  return `${Number(count.toFixed(1))} ${unit}${count === 1 ? '' : 's'}`
}
