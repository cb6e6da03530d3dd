import type { CallOptions, Context } from './context.ts'

export interface InterpretOptions extends CallOptions {
  /** Default: `python`. */
  language?: 'python' | 'javascript' | undefined
  /**
   * Time limit of the code, in milliseconds; default 30,000, and 0 means no limit. The code is then interrupted, and its variables are kept.
   */
  timeoutMs?: number | undefined
}

export interface InterpretResult {
  type: 'text' | 'image' | 'html' | 'json' | 'error'
  /** Printed text, or the plain text form of a result. */
  text?: string
  /** Base64 for an image, the value for JSON, else text. */
  data?: unknown
  /** The media type of `data`. */
  mimeType?: string
  /** Only for printed text. */
  stream?: 'stdout' | 'stderr'
  /** True for the value of the last expression. */
  isMainResult?: boolean
  /** Other representations of the same result, by media type. */
  formats?: Record<string, unknown>
  name?: string
  message?: string
  traceback?: string[]
}

export interface InterpretAnswer {
  status: 'completed' | 'error' | 'timeout' | 'interrupted' | 'died'
  language: string
  sessionId: string
  /** In the order in which they were produced. */
  results: InterpretResult[]
  logs: { stdout: string; stderr: string }
  error: { name: string; message: string; traceback: string[] } | null
  executionCount: number | null
  /** True if the variables of earlier calls were lost before this one. */
  kernelRestarted: boolean
  /** How the previous kernel ended. */
  restartReason?: string
  /** True if the variables are lost after this call. */
  kernelLost: boolean
  /** True if output beyond the limits was left out. */
  truncated: boolean
  durationMs: number
}

const defaultTimeoutMs = 30_000
/**
 * Additional time for starting a sandbox and its kernel, for queued calls before this one, and for transferring the
 * answer.
 */
const overheadMs = 120_000

/**
 * Runs code in the kernel of the sandbox, which keeps variables for the next call. Code that fails is a result, not an
 * error. The request is sent once, as code that ran in part must not run again. Aborting the `signal` interrupts the
 * code.
 */
export function interpret(context: Context, code: string, options: InterpretOptions = {}): Promise<InterpretAnswer> {
  const { language, sessionId = context.sessionId, timeoutMs = defaultTimeoutMs, signal } = options
  return context.transport.json<InterpretAnswer>({
    method: 'POST',
    path: '/interpret',
    json: { code, language, sessionId, timeout: timeoutMs },
    retry: 'refused',
    signal,
    timeoutMs: timeoutMs === 0 ? Infinity : timeoutMs + overheadMs,
  })
}
