/** The server's "no": its own words, and what can be done next. */
export class CarrelApiError extends Error {
  /** HTTP status; 0 for a failure that was told inside a stream or a WebSocket. */
  readonly status: number
  /** Upper case, such as `NOT_FOUND`; `HTTP_<status>` when the answer was not in Carrel's envelope. */
  readonly code: string
  /** What a program can do next, such as `LOGIN`. */
  readonly action: string | undefined
  /** The same as a sentence. */
  readonly agentInstruction: string | undefined
  /** Names this request in the server's log. */
  readonly requestId: string | undefined
  /** True when the same request can succeed later. */
  readonly retryable: boolean
  /** From `Retry-After`, in milliseconds. */
  readonly retryAfterMs: number | undefined
  /** What else the envelope has: the field, the limit, the state. */
  readonly details: Record<string, unknown>

  /** @param body the parsed envelope, or anything else when it is none */
  constructor(status: number, body: unknown, headers?: { get(name: string): string | null }) {
    const { error, code, action, agentInstruction, requestId, retryable, ...details } = inCarrelsForm(asRecord(body))
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

/** No answer, or one that was cut off: the request may or may not have had its effect. */
export class CarrelConnectionError extends Error {
  /** The system's name for it, such as `ECONNREFUSED`, where there is one. */
  readonly code: string | undefined
  readonly url: string

  constructor(url: string, reason: string, options: { code?: string | undefined; cause?: unknown } = {}) {
    super(`Cannot reach "${url}": ${reason}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CarrelConnectionError'
    this.code = options.code
    this.url = url
  }

  /** Around whatever `fetch` or a WebSocket threw. */
  static from(url: string, cause: unknown): CarrelConnectionError {
    const code = systemCode(cause)
    return new CarrelConnectionError(url, reasons[code ?? ''] ?? innermostMessage(cause), { code, cause })
  }
}

/** The time that the caller allowed is over. What was asked for may have happened all the same. */
export class CarrelTimeoutError extends Error {
  readonly timeoutMs: number

  constructor(timeoutMs: number) {
    super(`The server gave no answer within ${timeoutMs} ms`)
    this.name = 'CarrelTimeoutError'
    this.timeoutMs = timeoutMs
  }
}

const reasons: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name could not be looked up',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to the host',
  UND_ERR_CONNECT_TIMEOUT: 'no answer',
  UND_ERR_HEADERS_TIMEOUT: 'no answer',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped half way',
}

const retryableStatuses = new Set([408, 429, 500, 502, 503, 504])

function isRetryable(status: number, code: string): boolean {
  if (code === 'IDEMPOTENCY_IN_PROGRESS') return true
  return retryableStatuses.has(status) && code !== 'IMAGE_MISSING'
}

/** `Retry-After` is seconds or a date. */
function parseRetryAfter(value: string | null | undefined): number | undefined {
  if (!value) return undefined
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const dateMs = Date.parse(value)
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - Date.now())
}

/** `fetch` wraps the cause, and a name with several addresses wraps one for each of them. */
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
 * Each surface has an envelope of its own: below `/api/v1` `error` is the code and `message` the sentence, below `/v1` both are in `error`,
 * for users and billing in `detail`, beside which they stand as in ours.
 */
function inCarrelsForm({ detail, ...body }: Record<string, unknown>): Record<string, unknown> {
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
