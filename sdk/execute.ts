import { callFields } from './context.ts'
import type { CallOptions, Context } from './context.ts'
import { CarrelApiError, CarrelConnectionError } from './errors.ts'
import { openExecSession } from './exec-session.ts'
import type { ExitReason, Language } from './exec-messages.ts'
import { serverSentEvents } from './sse.ts'

export interface ExecuteOptions extends CallOptions {
  /** Default: `shell`. */
  language?: Language | undefined
  /** Time limit of the code, in milliseconds; default 30,000, and 0 means no limit. The whole process tree is then killed. */
  timeoutMs?: number | undefined
  /** Numbers and booleans become text; a variable that is null is left out. */
  env?: Record<string, string | number | boolean | null> | undefined
  /** An absolute path in the sandbox. */
  cwd?: string | undefined
}

export type ExecuteStatus = 'completed' | 'timeout' | 'killed' | 'oom' | 'lost'

export interface ExecuteResult {
  stdout: string
  stderr: string
  /** null if nothing is known about the end. */
  exitCode: number | null
  /** Such as `SIGKILL`; null if the code exited by itself. */
  signal: string | null
  reason: ExitReason
  /** True if the oldest output was dropped because of its limit. */
  truncated: boolean
  durationMs: number
  /** The exact bytes, if they are not valid UTF-8. */
  stdoutBase64?: string
  stderrBase64?: string
}

export interface ExecuteAnswer {
  status: ExecuteStatus
  processId: string
  sessionId?: string
  result: ExecuteResult
}

/** `cursor` is the position after the last complete piece of output, from which `processes.get` can continue. */
export type ExecuteEvent =
  | { type: 'start'; processId: string; cursor: string }
  | { type: 'stdout' | 'stderr'; data: string; cursor: string }
  | ({ type: 'complete'; cursor: string } & Omit<ExecuteResult, 'stdout' | 'stderr' | 'stdoutBase64' | 'stderrBase64'>)

/** The server's own limit, which applies without `timeoutMs`. */
const defaultTimeoutMs = 30_000
/** Additional time for starting a sandbox and transferring the answer. */
const overheadMs = 60_000
/**
 * `fetch` gives up on an answer that does not begin within 5 minutes; code that may take longer runs over a WebSocket.
 */
const maxRequestMs = 240_000

/** Runs code to its end. A program that fails is a result, not an error; a retry never runs the code twice. */
export async function execute(context: Context, code: string, options: ExecuteOptions = {}): Promise<ExecuteAnswer> {
  const timeoutMs = options.timeoutMs === 0 ? Infinity : (options.timeoutMs ?? defaultTimeoutMs)
  if (timeoutMs > maxRequestMs && (await context.loadWebSocket())) return executeLong(context, code, options)
  return context.transport.json<ExecuteAnswer>({
    method: 'POST',
    path: '/execute',
    json: executeBody(context, code, options),
    idempotencyKey: crypto.randomUUID(),
    retry: 'repeatable',
    signal: options.signal,
    timeoutMs: timeoutMs + overheadMs,
  })
}

/**
 * Runs code and yields its output as it arrives. Ends with `complete`. Rejects with a `CarrelApiError` for the server's
 * `error` event, and with a `CarrelConnectionError` if the stream ends before either.
 */
export async function* executeStream(
  context: Context,
  code: string,
  options: ExecuteOptions = {},
): AsyncGenerator<ExecuteEvent> {
  const { transport } = context
  const response = await transport.open({
    method: 'POST',
    path: '/execute/stream',
    headers: { accept: 'text/event-stream' },
    json: executeBody(context, code, options),
    retry: 'refused',
    ...callFields(options),
  })
  try {
    for await (const { event, data, id } of serverSentEvents(response.body ?? noBytes())) {
      const fields = JSON.parse(data) as Record<string, unknown>
      if (event === 'error') throw new CarrelApiError(0, withoutType(fields))
      if (!isEventType(event)) continue
      yield { ...fields, type: event, cursor: id } as ExecuteEvent
      if (event === 'complete') return
    }
  } catch (error) {
    if (error instanceof CarrelApiError || options.signal?.aborted) throw error
    throw CarrelConnectionError.from(transport.baseUrl, error)
  }
  throw new CarrelConnectionError(transport.baseUrl, 'the stream ended before the program did')
}

/** Runs code over an exec session, which survives lost connections. */
async function executeLong(context: Context, code: string, options: ExecuteOptions): Promise<ExecuteAnswer> {
  const startedAtMs = Date.now()
  const { language = 'shell', sessionId, timeoutMs, env, cwd, signal } = options
  const session = await openExecSession(context, { command: code, language, sessionId, timeoutMs, env, cwd, signal })
  const result = await session.result()
  return {
    status: statusOf(result.reason),
    processId: session.processId,
    result: { ...result, durationMs: Date.now() - startedAtMs },
  }
}

function executeBody(context: Context, code: string, options: ExecuteOptions): Record<string, unknown> {
  const { language = 'shell', sessionId = context.sessionId, timeoutMs, env, cwd } = options
  return { code, language, sessionId, timeout: timeoutMs, env, cwd }
}

function statusOf(reason: ExitReason): ExecuteStatus {
  if (reason === 'timeout' || reason === 'oom' || reason === 'lost') return reason
  return reason === 'exited' ? 'completed' : 'killed'
}

function isEventType(event: string): event is ExecuteEvent['type'] {
  return event === 'start' || event === 'stdout' || event === 'stderr' || event === 'complete'
}

function withoutType({ type: _, ...envelope }: Record<string, unknown>): Record<string, unknown> {
  return envelope
}

async function* noBytes(): AsyncGenerator<Uint8Array> {}
