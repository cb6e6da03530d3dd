import type { CgroupFiles } from '../monitor/protocol.ts'

/**
 * The host's control groups, version 1 or 2. With version 1, each controller has a tree of its own; with version 2, all
 * controllers share one tree.
 */
export interface Cgroups {
  version: 1 | 2
  /** Whether memory of TCP and UDP has a separate counter and limit, as in version 1. */
  countsSocketsApart: boolean
  /** Returns the files that the monitor reads and writes for a computer. */
  files(computerPath: string): CgroupFiles
  /** Creates, before a computer starts, the groups that its runtime does not create. */
  prepare(computerPath: string): void
  /** Returns the host ids of a computer's processes. */
  pids(computerPath: string): number[]
  usage(computerPath: string): Promise<{ memoryBytes: number; cpuMicros: number; pids: number; oomKills: number }>
  freeze(computerPath: string, frozen: boolean): Promise<void>
  isFrozen(computerPath: string): Promise<boolean>
  /** Returns the CPU time in microseconds; undefined when the group does not exist. */
  cpuMicros(computerPath: string): number | undefined
  /** Kills the processes of a computer except `exceptPids`. Returns how many it signalled. */
  kill(computerPath: string, exceptPids: ReadonlySet<number>): number
  /** Kills the processes that the runtime left, and removes the groups. */
  remove(computerPath: string): Promise<void>
  /** Returns the names of the groups below a path. */
  list(parentPath: string): string[]
}
