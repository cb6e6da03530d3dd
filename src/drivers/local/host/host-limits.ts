import { readFileSync, writeFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import type { DriverLog } from '../../driver-log.ts'

export interface HostLimit {
  /** The name for `sysctl`. */
  name: string
  min: number
  reason: string
}

/** Number of computers on a full host. */
const computers = 1_000
/** Each terminal takes about 35 KiB of kernel memory that no control group counts. */
export const terminalsPerComputer = 256

/**
 * Returns the host-wide limits that all computers share, so that one computer could exhaust what the others need. Each
 * minimum is high enough for the computers' own limits (memory, processes) to be reached first: what is counted here is
 * memory that is charged to the computer that uses it.
 */
export function hostLimits(): HostLimit[] {
  const memoryBytes = totalmem()
  return [
    { name: 'kernel.pid_max', min: 4_194_304, reason: 'each process and thread of all computers has a number' },
    { name: 'kernel.threads-max', min: 4_194_304, reason: 'processes are limited for each computer' },
    {
      name: 'kernel.pty.max',
      min: (computers + 24) * terminalsPerComputer,
      reason: `each computer may have ${terminalsPerComputer} terminals`,
    },
    {
      name: 'fs.file-max',
      min: Number.MAX_SAFE_INTEGER,
      reason: 'open files are memory of the computer that has them',
    },
    {
      name: 'fs.epoll.max_user_watches',
      min: Math.floor(memoryBytes / 128),
      reason: 'users of all computers have the same ids on the host, and share one number of watches',
    },
    {
      name: 'fs.pipe-user-pages-soft',
      min: Math.floor(memoryBytes / 4096),
      reason: 'users of all computers have the same ids on the host, and get short pipes beyond one number of pages',
    },
    {
      name: 'net.ipv4.tcp_max_orphans',
      min: Math.min(Math.floor(memoryBytes / 2048), 2 ** 31 - 1),
      reason: 'connections that are still closing count for all computers together',
    },
    {
      name: 'net.netfilter.nf_conntrack_max',
      min: 1_048_576,
      reason: 'outgoing connections of all computers are in one table',
    },
  ]
}

/**
 * Raises the limits that are below their minimum, lowers none, and logs what it raised and why. Returns a sentence for
 * each limit that cannot be raised on this host.
 */
export function raiseHostLimits(log: DriverLog | undefined): string[] {
  const raised: string[] = []
  const refused: string[] = []
  for (const { name, min, reason } of hostLimits()) {
    const path = `/proc/sys/${name.replaceAll('.', '/')}`
    const now = read(path)
    // A missing file, or 0 for a soft limit, means no limit.
    if (now === undefined || now >= min || (now === 0 && name.endsWith('-soft'))) continue
    try {
      writeFileSync(path, String(min))
      raised.push(`${name} from ${now} to ${min} (${reason})`)
    } catch {
      refused.push(
        `${name} is ${now} and cannot be raised to ${min} here, so one computer can exhaust it for others: ${reason}.`,
      )
    }
  }
  if (raised.length > 0) log?.info({}, `raised limits of this host: ${raised.join('; ')}`)
  return refused
}

function read(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'latin1'))
  } catch {
    return undefined
  }
}
