/** What the errors of the client have in common. Incorrect use throws a `TypeError` instead. */
export abstract class CarrelError extends Error {}

/** A refusal by the server: its message, and what to do next. */
export class CarrelApiError extends CarrelError {
  /** HTTP status; 0 for an error reported inside a stream or a WebSocket. */
  readonly status: number
  /** In upper case, such as `NOT_FOUND`; `HTTP_<status>` if the answer has no error envelope of Carrel. */
  readonly code: string
  /** The next step for a program, such as `LOGIN`. */
  readonly action: string | undefined
  /** The next step as a sentence. */
  readonly agentInstruction: string | undefined
  /** Identifies the request in the server's log. */
  readonly requestId: string | undefined
  /** True if the same request can succeed later. */
  readonly retryable: boolean
  /** From `Retry-After`, in milliseconds. */
  readonly retryAfterMs: number | undefined
  /** The other fields of the envelope, such as the field, the limit or the state. */
  readonly details: Record<string, unknown>

  /** @param body the parsed envelope; anything else counts as no envelope */
  constructor(status: number, body: unknown, headers?: { get(name: string): string | null }) {
    const { error, code, action, agentInstruction, requestId, retryable, ...details } = toCarrelEnvelope(asRecord(body))
    super(asText(error) ?? `The server answered with status ${status}`)
    this.name = 'CarrelApiError'
    this.status = status
    this.code = asText(code) ?? `HTTP_${status}`
    this.action = asText(action)
    this.agentInstruction = asText(agentInstruction)
    this.requestId = asText(requestId) ?? headers?.get('x-request-id') ?? undefined
    this.retryable = typeof retryable === 'boolean' ? retryable : isRetryable(status, this.code)
    this.retryAfterMs = parseRetryAfter(headers?.get('retry-after'))
    this.details = details
  }
}

/** What was begun on a computer has failed. */
export class CarrelOperationError extends CarrelError {
  readonly operationId: string
  /** Such as `computer.create`. */
  readonly kind: string

  constructor({ id, kind, error_message: reason }: { id: string; kind: string; error_message: string | null }) {
    super(reason ?? `The operation ${kind} failed`)
    this.name = 'CarrelOperationError'
    this.operationId = id
    this.kind = kind
  }
}

/** There was no answer, or only a part of it: the request may or may not have had its effect. */
export class CarrelConnectionError extends CarrelError {
  /** The system's error code, such as `ECONNREFUSED`, if there is one. */
  readonly code: string | undefined
  readonly url: string

  constructor(url: string, reason: string, options: { code?: string | undefined; cause?: unknown } = {}) {
    super(`Cannot reach "${url}": ${reason}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CarrelConnectionError'
    this.code = options.code
    this.url = url
  }

  /** Wraps whatever `fetch` or a WebSocket threw. */
  static from(url: string, cause: unknown): CarrelConnectionError {
    const code = systemCode(cause)
    return new CarrelConnectionError(url, reasons[code ?? ''] ?? innermostMessage(cause), { code, cause })
  }
}

/** The caller's time limit has passed. The request may have had its effect all the same. */
export class CarrelTimeoutError extends CarrelError {
  readonly timeoutMs: number

  constructor(timeoutMs: number) {
    super(`The server gave no answer within ${timeoutMs} ms`)
    this.name = 'CarrelTimeoutError'
    this.timeoutMs = timeoutMs
  }
}

const reasons: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection broke',
  UND_ERR_SOCKET: 'the connection broke',
  EPIPE: 'the connection broke',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host name could not be resolved',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to the host',
  UND_ERR_CONNECT_TIMEOUT: 'no answer',
  UND_ERR_HEADERS_TIMEOUT: 'no answer',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped halfway',
}

const retryableStatuses = new Set([408, 429, 500, 502, 503, 504])

function isRetryable(status: number, code: string): boolean {
  if (code === 'IDEMPOTENCY_IN_PROGRESS') return true
  return retryableStatuses.has(status) && code !== 'IMAGE_MISSING'
}

/** Returns `Retry-After`, which holds seconds or a date, in milliseconds. */
function parseRetryAfter(value: string | null | undefined): number | undefined {
  if (!value) return undefined
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const dateMs = Date.parse(value)
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - Date.now())
}

/**
 * Returns the system's error code. `fetch` wraps the cause, and a host with several addresses wraps one cause for each.
 */
function systemCode(error: unknown): string | undefined {
  for (let depth = 0, at = error; at instanceof Error && depth < 5; depth++) {
    const { code, errors } = at as { code?: unknown; errors?: unknown[] }
    if (typeof code === 'string') return code
    at = errors?.[0] ?? at.cause
  }
  return undefined
}

function innermostMessage(error: unknown): string {
  let message = 'the connection failed'
  for (let depth = 0, at = error; at instanceof Error && depth < 5; depth++, at = at.cause) {
    if (at.message) message = at.message
  }
  return message
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

/**
 * Converts the error envelope of any surface to Carrel's. Below `/api/v1`, `error` is the code and `message` the
 * sentence; below `/v1`, `error` holds both; for users and billing, `detail` holds both and Carrel's own fields stand
 * beside it.
 */
function toCarrelEnvelope({ detail, ...body }: Record<string, unknown>): Record<string, unknown> {
  const { error, message, ...more } = body
  const inside = typeof error === 'object' ? asRecord(error) : typeof error === 'string' ? {} : asRecord(detail)
  if (inside['message'] !== undefined)
    return { ...more, code: body['code'] ?? asText(inside['code'])?.toUpperCase(), error: inside['message'] }
  const isPawpado = body['code'] === undefined && typeof message === 'string' && /^[A-Z_]+$/.test(String(error))
  return isPawpado ? { ...more, code: error, error: message } : body
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
