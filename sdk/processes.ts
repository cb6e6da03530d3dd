import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'
import type { ExitReason } from './exec-messages.ts'

export type ProcessStatus = 'running' | 'completed' | 'failed' | 'killed' | 'timeout' | 'oom' | 'stopped' | 'lost'

export interface ProcessInfo {
  /** The caller's own name for it, or the server's. */
  processId: string
  pid: number
  command: string
  status: ProcessStatus
  /** null while it runs, and when nothing is known of its end. */
  exitCode: number | null
  signal: string | null
  reason: ExitReason | null
  startedAt: string
  endedAt: string | null
  /** TCP ports on which it, or what it started, listens. */
  ports: ListeningPort[]
  /** What can be done with it next, by topic, while it runs. */
  hints?: Record<string, string>
}

export interface ListeningPort {
  port: number
  /** Where it is bound, e.g. `0.0.0.0`. */
  address: string
  /** Whether `expose()` gives it a preview that works. */
  canExpose: boolean
  detectedAt: string
}

export interface ProcessLogs {
  stdout: string
  stderr: string
  /** Where to read on from. */
  cursor: number
  /** True when output before this was dropped for the cap. */
  truncated: boolean
  /** True when this is all there will ever be. */
  done: boolean
}

export interface StartOptions extends RequestOptions {
  /** Chosen by the caller; default: the server makes one. */
  processId?: string
  env?: Record<string, string>
  cwd?: string
  /** Ends the process after this long, in milliseconds; default: the server's 15 minutes. 0 is no limit. */
  timeoutMs?: number
}

export interface StartedProcess {
  success: boolean
  processId: string
  pid: number
  status: 'running'
  command: string
  startedAt: string
  /** What can be done with it next, by topic. */
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

  /** Those that run and those that have ended. */
  async list({ all, ...options }: RequestOptions & { all?: boolean } = {}): Promise<ProcessInfo[]> {
    return (await this.#post<{ processes: ProcessInfo[] }>('/process/list', { all }, options)).processes
  }

  /** Its state, and its output from `cursor` (default: the oldest that is kept). */
  get(
    processId: string,
    options: RequestOptions & { cursor?: number } = {},
  ): Promise<{ process: ProcessInfo; logs: ProcessLogs }> {
    return this.#post('/process/get', { processId, cursor: options.cursor }, options)
  }

  /** Sends a signal to the process and all that came of it; default: the server's, which ends it. */
  kill(
    processId: string,
    options: RequestOptions & { signalName?: string } = {},
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
