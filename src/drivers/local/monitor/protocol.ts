import type { ExitReason, ProcessExit } from '../../driver.ts'
import type { JournalBounds } from './journal-budget.ts'
import type { StartFailureCode } from './start-failure.ts'

/**
 * The protocol of server and monitor: JSON lines over a Unix socket. A request has a `seq` that its answer repeats;
 * events have none. As the monitor outlives the server, fields are only ever added, and a monitor answers an unknown
 * request with null. Starts carry a deadline (`notAfterMs`), after which no client waits for them any more.
 */
export type Request =
  | { op: 'hello' }
  | {
      op: 'run-container'
      computerId: string
      command: string[]
      pidFile: string
      groups?: ExecGroupsLocation | undefined
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
  /** Processes of one owner share a limit on output; undefined for the limit of the computer alone. */
  owner?: string
  /** Where its journal and its exit go; the monitor creates it. */
  directory: string
  /** The runtime and its arguments up to the container's id; the monitor adds the process's own. */
  command: string[]
  /** The OCI process object. */
  spec: Record<string, unknown>
  stdin: boolean
  /** Named pipes that the server has open, in place of stdin and of stdout, whose bytes go to the server directly. */
  streams?: { stdin: string; stdout: string }
  tty?: { cols: number; rows: number }
  timeoutMs?: number
  /** The process has to wait when this many bytes of output are not `taken`; undefined for never. */
  aheadBytes?: number
  meta: Record<string, unknown>
  /** Files of the computer's cgroups. */
  cgroup: CgroupFiles
}

/** The answer to `hello`; null from an old monitor that does not know the request. */
export type HelloAnswer = { version: string; pid?: number } | null

export interface ListAnswer {
  processes: ProcessState[]
  containers: ContainerState[]
}

export interface StartAnswer {
  /** Process id on the host. */
  pid: number
  /** Process id inside the computer. */
  insidePid: number
  startedAtMs: number
}

export interface CgroupFiles {
  /** The file that lists the host ids of the computer's processes. */
  procs: string
  /** The file with a line `oom_kill N`. */
  oomKills: string
  /** Writing `on` to `path` freezes the computer, and `off` thaws it. */
  freeze: { path: string; on: string; off: string }
  /** Where its execs have control groups; undefined where the host does not support that. */
  groups?: ExecGroupsLocation
}

export interface ExecGroupsLocation {
  /** The path of the computer's group in the version 2 tree, in which each exec gets a group. */
  parent: string
  /** Whether the runtime puts an exec into its group (`--cgroup`); otherwise the monitor puts the runtime there. */
  byRuntime: boolean
}

export interface ProcessState {
  processId: string
  computerId: string
  /** Process id on the host. */
  pid: number
  /** Process id inside the computer; a record of an older monitor has none. */
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
