import type { CgroupFiles } from '../monitor/protocol.ts'

export interface GroupLimits {
  memoryBytes: number
  /** Of TCP and UDP, where they have a separate counter. */
  socketBytes: number
  cpus: number
  pids: number
  /** Such as `0-1`; undefined to leave it as it is. */
  cpuset: string | undefined
}

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
  /**
   * Freezes or thaws the processes of a computer. Returns whether all of them are in that state within `withinMs`, by
   * default a second.
   */
  freeze(computerPath: string, frozen: boolean, withinMs?: number): Promise<boolean>
  /**
   * Gives a running computer other limits. Returns false, and changes nothing, when it uses more memory than it would
   * have.
   */
  resize(computerPath: string, limits: GroupLimits): Promise<boolean>
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
