import type { CgroupFiles } from '../monitor/protocol.ts'

/**
 * The host's control groups, version 1 or 2. With version 1, `controllers` are mounted one by one; with version 2 all
 * are in one tree.
 */
export interface Cgroups {
  version: 1 | 2
  /** Whether memory of TCP and UDP has a counter and a limit of its own, as in version 1. */
  countsSocketsApart: boolean
  /** Files that the monitor reads and writes for a computer. */
  files(computerPath: string): CgroupFiles
  /** Makes, before a computer starts, what its runtime does not make. */
  prepare(computerPath: string): void
  /** Host ids of the processes of a computer. */
  pids(computerPath: string): number[]
  usage(computerPath: string): Promise<{ memoryBytes: number; cpuMicros: number; pids: number; oomKills: number }>
  freeze(computerPath: string, frozen: boolean): Promise<void>
  isFrozen(computerPath: string): Promise<boolean>
  /** Processor time in microseconds; undefined where there is no such group. */
  cpuMicros(computerPath: string): number | undefined
  /** KILL to every process of a computer but some; says how many there were. */
  kill(computerPath: string, exceptPids: ReadonlySet<number>): number
  /** Removes what the runtime leaves behind, dead or alive. */
  remove(computerPath: string): Promise<void>
  /** Names of the groups under a path. */
  list(parentPath: string): string[]
}
