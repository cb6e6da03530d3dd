import type { ExitReason, ProcessExit } from '../../driver.ts'
import type { JournalBounds } from './journal-budget.ts'
import type { StartFailureCode } from './start-failure.ts'

/**
 * What server and monitor say to each other: JSON, a line each, over a unix socket. A request has a `seq` that its
 * answer repeats; events have none. The monitor outlives the server, so a field is only ever added, and what a monitor
 * does not know it answers with null. What is to be started carries until when (`notAfterMs`): after it nobody waits for it any more.
 */
export type Request =
  | { op: 'hello' }
  | {
      op: 'run-container'
      computerId: string
      command: string[]
      pidFile: string
      groups?: ExecGroupsPlace | undefined
      notAfterMs?: number
    }
  | { op: 'bound-journals'; bounds: JournalBounds }
  | { op: 'journal-bytes' }
  | { op: 'start'; process: StartRequest; notAfterMs?: number }
  | { op: 'write'; processId: string; data: string }
  | { op: 'close-stdin'; processId: string }
  | { op: 'resize'; processId: string; cols: number; rows: number }
  | { op: 'kill'; processId: string; signal: NodeJS.Signals; scope: 'process' | 'tree' }
  | { op: 'follow'; processId: string }
  | { op: 'taken'; processId: string; cursor: number }
  | { op: 'stopping'; computerId: string }
  | { op: 'list' }
  | { op: 'release'; processId: string }
  | { op: 'quit' }

export interface StartRequest {
  processId: string
  computerId: string
  /** Whose output is counted together with that of others; the computer's own alone when undefined. */
  owner?: string
  /** Where its journal and its exit go; made by the monitor. */
  directory: string
  /** The runtime and its arguments up to the container's id; the monitor adds the process's own. */
  command: string[]
  /** The OCI process object. */
  spec: Record<string, unknown>
  stdin: boolean
  tty?: { cols: number; rows: number }
  timeoutMs?: number
  /** Held back when what was not told to be `taken` has this many bytes; undefined is never. */
  aheadBytes?: number
  meta: Record<string, unknown>
  /** Files of the computer's cgroups. */
  cgroup: CgroupFiles
}

/** To `hello`; a monitor from before there was one answers null. */
export type HelloAnswer = { version: string; pid?: number } | null

export interface ListAnswer {
  processes: ProcessState[]
  containers: ContainerState[]
}

export interface StartAnswer {
  /** On the host. */
  pid: number
  /** In the computer. */
  insidePid: number
  startedAtMs: number
}

export interface CgroupFiles {
  /** Lists the processes of the computer by their host ids. */
  procs: string
  /** Has a line `oom_kill N`. */
  oomKills: string
  /** Freezes it when `on` is written, thaws it with `off`. */
  freeze: { path: string; on: string; off: string }
  /** Where its execs have groups of their own; undefined where the host cannot. */
  groups?: ExecGroupsPlace
}

export interface ExecGroupsPlace {
  /** The path of the computer's group in the tree of version 2, in which each exec gets one. */
  parent: string
  /** Whether the runtime puts an exec into its group (`--cgroup`); else the monitor puts the runtime there. */
  byRuntime: boolean
}

export interface ProcessState {
  processId: string
  computerId: string
  /** On the host. */
  pid: number
  /** In the computer; a record of an older monitor has none. */
  insidePid?: number
  startedAtMs: number
  directory: string
  aheadBytes?: number
  timeoutMs?: number
  meta: Record<string, unknown>
  exit?: ProcessExit
}

export interface ContainerState {
  computerId: string
  pid: number
}

export type Answer =
  | { seq: number; ok: unknown }
  | { seq: number; failure: { code: StartFailureCode; message: string } }

export type MonitorEvent =
  | { event: 'exit'; processId: string; exit: ProcessExit; journal?: string }
  | { event: 'grew'; processId: string; end: number }
  | { event: 'container-exit'; computerId: string; reason: ExitReason }

export type Message = Answer | MonitorEvent
