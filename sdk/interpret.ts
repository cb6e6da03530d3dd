import type { CallOptions, Context } from './context.ts'

export interface InterpretOptions extends CallOptions {
  /** Default: `python`. */
  language?: 'python' | 'javascript'
  /** How long the code may run, in milliseconds; default 30,000. Then it is interrupted, and its variables are kept. */
  timeoutMs?: number
}

export interface InterpretResult {
  type: 'text' | 'image' | 'html' | 'json' | 'error'
  /** What was printed, or the plain form of a result. */
  text?: string
  /** Of an image its base64, of JSON the value, else text. */
  data?: unknown
  /** What `data` is. */
  mimeType?: string
  /** Only of printed text. */
  stream?: 'stdout' | 'stderr'
  /** True for the value of the last expression. */
  isMainResult?: boolean
  /** Further forms of the same, by media type. */
  formats?: Record<string, unknown>
  name?: string
  message?: string
  traceback?: string[]
}

export interface InterpretAnswer {
  status: 'completed' | 'error' | 'timeout' | 'interrupted' | 'died'
  language: string
  sessionId: string
  /** In the order in which they came about. */
  results: InterpretResult[]
  logs: { stdout: string; stderr: string }
  error: { name: string; message: string; traceback: string[] } | null
  executionCount: number | null
  /** True when variables of earlier calls were gone before this one. */
  kernelRestarted: boolean
  /** How the kernel before this one ended. */
  restartReason?: string
  /** True when the variables are gone after this call. */
  kernelLost: boolean
  /** True when output beyond the limits was left out. */
  truncated: boolean
  durationMs: number
}

const defaultTimeoutMs = 30_000
/** What starting a sandbox and its kernel, other calls in line before, and carrying the answer may take. */
const overheadMs = 120_000

/**
 * Runs code in the kernel of the sandbox: variables stay for the next call. Code that fails is an answer, not an error.
 * Sent once, for what ran in part must not run again; a `signal` that aborts interrupts the code.
 */
export function interpret(context: Context, code: string, options: InterpretOptions = {}): Promise<InterpretAnswer> {
  const { language, sessionId = context.sessionId, timeoutMs = defaultTimeoutMs, signal } = options
  return context.transport.json<InterpretAnswer>({
    method: 'POST',
    path: '/interpret',
    json: { code, language, sessionId, timeout: timeoutMs },
    retry: 'refused',
    signal,
    timeoutMs: timeoutMs + overheadMs,
  })
}
