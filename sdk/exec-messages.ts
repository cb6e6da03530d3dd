/** Why a process ended; `stopped` is by an end of its computer, `lost` when nothing can be known of it. */
export type ExitReason =
  | 'exited'
  | 'signalled'
  | 'timeout'
  | 'oom'
  | 'disk_full'
  | 'stopped'
  | 'lost'
  | 'out_of_credits'
  | 'spending_limit'

export type OutputChannel = 'stdout' | 'stderr'

export interface TerminalSize {
  cols: number
  rows: number
}

export interface ExecExit {
  /** As the program gave it, 128 + signal when a signal ended it, null when nothing is known. */
  exitCode: number | null
  /** Such as `SIGKILL`; null when it exited by itself. */
  signal: string | null
  reason: ExitReason
  /** True when output was dropped before it could be carried. */
  truncated: boolean
}

/** What is to run, and how. */
export interface ExecProgram {
  /** A program and its arguments, run as they are. Either this or `command`. */
  argv?: string[]
  /** A shell command, or code in `language`. */
  command?: string
  /** Of `command`; default: `shell`. */
  language?: string
  sessionId?: string | undefined
  env?: Record<string, string> | undefined
  /** An absolute path in the sandbox. */
  cwd?: string | undefined
  /** A name or numeric id known in the sandbox. */
  user?: string | undefined
  /** Runs it on a terminal of this size: its output is all stdout then. */
  tty?: TerminalSize | undefined
  /** The whole process tree is killed after this long; default: the server's. */
  timeoutMs?: number | undefined
}

export interface ExecStart extends ExecProgram {
  type: 'start'
  stdin: boolean
}

export interface ExecAttach {
  type: 'attach'
  processId: string
  cursor: number
  sessionId?: string | undefined
}

/** `tree` reaches every process that came of it, not the first alone. */
export type SignalScope = 'process' | 'tree'

export type ClientMessage =
  | ExecStart
  | ExecAttach
  | ({ type: 'resize' } & TerminalSize)
  | { type: 'signal'; signal: string; scope?: SignalScope | undefined }
  | { type: 'eof' }

export type ServerMessage =
  | { type: 'started'; processId: string; pid: number }
  | ({ type: 'exit' } & ExecExit)
  | { type: 'cursor'; cursor: number }
  | ({ type: 'error' } & Record<string, unknown>)

const types = new Set(['started', 'exit', 'cursor', 'error'])

/** undefined for a message that a later server may send and this client does not know. */
export function parseServerMessage(text: string): ServerMessage | undefined {
  const message = JSON.parse(text) as ServerMessage
  return types.has(message?.type) ? message : undefined
}

const stdinChannel = 0
const outputChannels: Record<number, OutputChannel | undefined> = { 1: 'stdout', 2: 'stderr' }

/** A binary message is its channel's number in one byte, then raw bytes. */
export function stdinFrame(data: Uint8Array): Uint8Array {
  const frame = new Uint8Array(data.length + 1)
  frame[0] = stdinChannel
  frame.set(data, 1)
  return frame
}

/** undefined for a channel that this client does not know. */
export function parseOutputFrame(frame: Uint8Array): { channel: OutputChannel; data: Uint8Array } | undefined {
  const channel = outputChannels[frame[0] ?? stdinChannel]
  return channel && { channel, data: frame.subarray(1) }
}
