import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'
import type { ExitReason } from './exec-messages.ts'

export type ProcessStatus = 'running' | 'completed' | 'failed' | 'killed' | 'timeout' | 'oom' | 'stopped' | 'lost'

export interface ProcessInfo {
  /** Chosen by the caller or by the server. */
  processId: string
  pid: number
  command: string
  status: ProcessStatus
  /** null while the process runs, and if nothing is known about its end. */
  exitCode: number | null
  signal: string | null
  reason: ExitReason | null
  startedAt: string
  endedAt: string | null
  /** TCP ports on which the process or its descendants listen. */
  ports: ListeningPort[]
  /** Possible next steps by topic, while the process runs. */
  hints?: Record<string, string>
}

export interface ListeningPort {
  port: number
  /** The bound address, such as `0.0.0.0`. */
  address: string
  /** Whether `expose()` gives the port a working preview. */
  canExpose: boolean
  detectedAt: string
}

export interface ProcessLogs {
  stdout: string
  stderr: string
  /** The position to continue reading from. */
  cursor: number
  /** True if earlier output was dropped because of its limit. */
  truncated: boolean
  /** True if there will be no further output. */
  done: boolean
}

export interface StartOptions extends RequestOptions {
  /** Default: the server chooses an id. */
  processId?: string | undefined
  /** Numbers and booleans become text; a variable that is null is left out. */
  env?: Record<string, string | number | boolean | null> | undefined
  cwd?: string | undefined
  /** Time limit of the process, in milliseconds; default: the server's 15 minutes. 0 for no limit. */
  timeoutMs?: number | undefined
}

export interface StartedProcess {
  success: boolean
  processId: string
  pid: number
  status: 'running'
  command: string
  startedAt: string
  /** Possible next steps by topic. */
  hints: Record<string, string>
}

/** Background processes of a sandbox. They outlive the connection and the server. */
export class Processes {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** Starts a shell command and returns at once. A retry never starts it twice. */
  start(command: string, options: StartOptions = {}): Promise<StartedProcess> {
    const { processId, env, cwd, timeoutMs } = options
    return this.#post('/process/start', { command, processId, env, cwd, timeout: timeoutMs }, options, true)
  }

  /** Returns the running and the ended processes. */
  async list({ all, ...options }: RequestOptions & { all?: boolean | undefined } = {}): Promise<ProcessInfo[]> {
    return (await this.#post<{ processes: ProcessInfo[] }>('/process/list', { all }, options)).processes
  }

  /** Returns the state of a process, and its output from `cursor` (default: the oldest that is kept). */
  get(
    processId: string,
    options: RequestOptions & { cursor?: number | undefined } = {},
  ): Promise<{ process: ProcessInfo; logs: ProcessLogs }> {
    return this.#post('/process/get', { processId, cursor: options.cursor }, options)
  }

  /** Sends a signal to the process and its descendants; default: the server's, which ends them. */
  kill(
    processId: string,
    options: RequestOptions & { signalName?: string | undefined } = {},
  ): Promise<{ success: boolean; processId: string; process: Omit<ProcessInfo, 'ports' | 'hints'> }> {
    return this.#post('/process/kill', { processId, signal: options.signalName }, options, true)
  }

  #post<T>(path: string, json: Record<string, unknown>, options: RequestOptions, makes = false): Promise<T> {
    const { transport, sessionId } = this.#context
    return transport.json<T>({
      method: 'POST',
      path,
      json: { ...json, sessionId: options.sessionId ?? sessionId },
      ...(makes ? { idempotencyKey: crypto.randomUUID() } : {}),
      retry: 'repeatable',
      ...callFields(options),
    })
  }
}
