/** Why a process ended: `stopped` with its computer, `lost` if nothing is known about its end. */
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
  | 'disconnected'

/** What code can be written in. */
export type Language = 'shell' | 'python' | 'javascript'

export type OutputChannel = 'stdout' | 'stderr'

export interface TerminalSize {
  cols: number
  rows: number
}

export interface ExecExit {
  /** The program's exit code, 128 + signal if a signal ended it, null if unknown. */
  exitCode: number | null
  /** Such as `SIGKILL`; null if the program exited by itself. */
  signal: string | null
  reason: ExitReason
  /** True if output was dropped before it could be sent. */
  truncated: boolean
}

/** What to run, and how. */
export interface ExecProgram {
  /** A program and its arguments, run without a shell. Excludes `command`. */
  argv?: string[] | undefined
  /** A shell command, or code in `language`. */
  command?: string | undefined
  /** Language of `command`; default: `shell`. */
  language?: Language | (string & {}) | undefined
  sessionId?: string | undefined
  /** Numbers and booleans become text; a variable that is null is left out. */
  env?: Record<string, string | number | boolean | null> | undefined
  /** An absolute path in the sandbox. */
  cwd?: string | undefined
  /** A user name or id that exists in the sandbox. */
  user?: string | undefined
  /** Runs the program on a terminal of this size; all its output is then stdout. */
  tty?: TerminalSize | undefined
  /** Milliseconds after which the whole process tree is killed; default: no limit, and 0 means no limit too. */
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
  /** Leaves out the output so far; `cursor` then counts for a process that has ended. */
  fromEnd?: boolean | undefined
  sessionId?: string | undefined
}

/** `tree` includes every process that the program has started, `process` is the program alone. */
export type SignalScope = 'process' | 'tree'

export type ClientMessage =
  | ExecStart
  | ExecAttach
  | ({ type: 'resize' } & TerminalSize)
  | { type: 'signal'; signal: string; scope?: SignalScope | undefined }
  | { type: 'eof' }

export type ServerMessage =
  | {
      type: 'started'
      processId: string
      pid: number
      /** After attaching: the cursor after the output so far; null when the process had ended. */
      outputEnd?: number | null
      /** After attaching: whether the process has a terminal. */
      tty?: boolean
    }
  | ({ type: 'exit' } & ExecExit)
  | { type: 'cursor'; cursor: number }
  | ({ type: 'error' } & Record<string, unknown>)

const types = new Set(['started', 'exit', 'cursor', 'error'])

/** Parses a message. Returns undefined for a type that this client does not know, as a newer server may send. */
export function parseServerMessage(text: string): ServerMessage | undefined {
  const message = JSON.parse(text) as ServerMessage
  return types.has(message?.type) ? message : undefined
}

const stdinChannel = 0
const outputChannels: Record<number, OutputChannel | undefined> = { 1: 'stdout', 2: 'stderr' }

/** Returns a binary message: the number of the channel in one byte, then the raw bytes. */
export function stdinFrame(data: Uint8Array): Uint8Array {
  const frame = new Uint8Array(data.length + 1)
  frame[0] = stdinChannel
  frame.set(data, 1)
  return frame
}

/** Parses a binary message. Returns undefined for a channel that this client does not know. */
export function parseOutputFrame(frame: Uint8Array): { channel: OutputChannel; data: Uint8Array } | undefined {
  const channel = outputChannels[frame[0] ?? stdinChannel]
  return channel && { channel, data: frame.subarray(1) }
}
