import { readFileSync, writeFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import type { DriverLog } from '../../driver-log.ts'

export interface HostLimit {
  /** As `sysctl` names it. */
  name: string
  least: number
  why: string
}

/** Computers of a host that is full. */
const computers = 1_000
/** Terminals of one computer: each has some 35 KiB of the kernel's memory that no control group counts. */
export const terminalsPerComputer = 256

/**
 * Numbers of the host that all computers share, in which one could take what the others need. Each is as high as it takes
 * for the computers' own limits (memory, processes) to be met first: what is counted here is memory that is charged to the
 * computer that takes it.
 */
export function hostLimits(): HostLimit[] {
  const memoryBytes = totalmem()
  return [
    { name: 'kernel.pid_max', least: 4_194_304, why: 'each process and thread of all computers has a number' },
    { name: 'kernel.threads-max', least: 4_194_304, why: 'processes are bounded for each computer' },
    {
      name: 'kernel.pty.max',
      least: (computers + 24) * terminalsPerComputer,
      why: `each computer may have ${terminalsPerComputer} terminals`,
    },
    { name: 'fs.file-max', least: Number.MAX_SAFE_INTEGER, why: 'open files are memory of the computer that has them' },
    {
      name: 'fs.epoll.max_user_watches',
      least: Math.floor(memoryBytes / 128),
      why: 'users of all computers have the same ids on the host, and one number of watches',
    },
    {
      name: 'fs.pipe-user-pages-soft',
      least: Math.floor(memoryBytes / 4096),
      why: 'users of all computers have the same ids on the host, and short pipes beyond one number of pages',
    },
    {
      name: 'net.ipv4.tcp_max_orphans',
      least: Math.min(Math.floor(memoryBytes / 2048), 2 ** 31 - 1),
      why: 'connections that are still closing count for all computers together',
    },
    {
      name: 'net.netfilter.nf_conntrack_max',
      least: 1_048_576,
      why: 'connections of all computers to the outside are in one table',
    },
  ]
}

/**
 * Raises what is lower than it has to be, and lowers nothing. Says once in the log what it raised and why. Gives a
 * sentence for each that this host keeps low.
 */
export function raiseHostLimits(log: DriverLog | undefined): string[] {
  const raised: string[] = []
  const refused: string[] = []
  for (const { name, least, why } of hostLimits()) {
    const path = `/proc/sys/${name.replaceAll('.', '/')}`
    const now = read(path)
    // None there, or none at all.
    if (now === undefined || now >= least || (now === 0 && name.endsWith('-soft'))) continue
    try {
      writeFileSync(path, String(least))
      raised.push(`${name} from ${now} to ${least} (${why})`)
    } catch {
      refused.push(
        `${name} is ${now} and cannot be raised to ${least} here, so one computer can keep others short: ${why}.`,
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
