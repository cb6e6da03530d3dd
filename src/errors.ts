/**
 * Every way in which Carrel says no. Surfaces translate the envelope; code, status and wording are from here.
 * `action` is what a program can do next, `instruction` the same for an agent that reads it.
 */
export const errorTable = {
  invalid_request: {
    status: 400,
    retryable: false,
    action: 'FIX_REQUEST',
    instruction: 'Correct the named field and send the request again.',
  },
  unauthenticated: {
    status: 401,
    retryable: false,
    action: 'LOGIN',
    instruction: 'Send a valid token in "Authorization: Bearer <token>"; POST /login gives a new one.',
  },
  out_of_credits: {
    status: 402,
    retryable: false,
    action: 'TOP_UP',
    instruction:
      'Open topupUrl to see how to pay here. For programs: POST /topup with {tier} or {amountCents} and X-Session-Token, where an MPP client answers the payment challenge; for a link that a person pays at: POST /api/v1/credits/topup.',
  },
  spending_limit_reached: {
    status: 402,
    retryable: false,
    action: 'RAISE_LIMIT',
    instruction:
      'A limit that was set for this account or token is used up. Wait until the time that resetsAt names, or let an admin raise it (PATCH /v1/billing/preferences).',
  },
  forbidden: {
    status: 403,
    retryable: false,
    action: 'USE_ANOTHER_TOKEN',
    instruction: 'This token may not do this. Use one that has the right.',
  },
  not_found: {
    status: 404,
    retryable: false,
    action: 'CHECK_ID',
    instruction: 'Check the id, path or address; list what exists first.',
  },
  route_not_found: {
    status: 404,
    retryable: false,
    action: 'CHECK_ROUTE',
    instruction: 'GET / lists every route with its method.',
  },
  method_not_allowed: {
    status: 405,
    retryable: false,
    action: 'CHECK_ROUTE',
    instruction: 'GET / lists every route with its method.',
  },
  request_timeout: {
    status: 408,
    retryable: true,
    action: 'RETRY',
    instruction: 'Send the whole request without long pauses.',
  },
  already_exists: {
    status: 409,
    retryable: false,
    action: 'USE_ANOTHER_ID',
    instruction: 'Choose another id, or use what exists.',
  },
  conflict: {
    status: 409,
    retryable: false,
    action: 'CHECK_STATE',
    instruction: 'Read the current state and choose an operation that fits it.',
  },
  package_missing: {
    status: 409,
    retryable: false,
    action: 'INSTALL_PACKAGE',
    instruction: 'Install what the message names in the sandbox, or ask its operator for an image that has it.',
  },
  idempotency_mismatch: {
    status: 409,
    retryable: false,
    action: 'USE_ANOTHER_KEY',
    instruction: 'This Idempotency-Key was used with another request. Use a new key.',
  },
  idempotency_in_progress: {
    status: 409,
    retryable: true,
    action: 'RETRY',
    instruction: 'The first request with this Idempotency-Key still runs. Try again shortly.',
  },
  too_large: {
    status: 413,
    retryable: false,
    action: 'SEND_LESS',
    instruction: 'Send less than the stated limit, or in parts.',
  },
  unsupported_media_type: {
    status: 415,
    retryable: false,
    action: 'SET_CONTENT_TYPE',
    instruction: 'Send the content type that the route documents.',
  },
  range_not_satisfiable: {
    status: 416,
    retryable: false,
    action: 'CHECK_SIZE',
    instruction: 'Ask for a range within the size of the file.',
  },
  upgrade_required: {
    status: 426,
    retryable: false,
    action: 'OPEN_WEBSOCKET',
    instruction: 'Open this address as a WebSocket.',
  },
  limit_reached: {
    status: 429,
    retryable: true,
    action: 'FREE_SOMETHING',
    instruction: 'End or delete something that you no longer need, then try again.',
  },
  rate_limited: {
    status: 429,
    retryable: true,
    action: 'WAIT',
    instruction: 'Send the request again after the seconds that Retry-After names.',
  },
  internal: {
    status: 500,
    retryable: true,
    action: 'RETRY',
    instruction: 'This is a fault of the server. Try again; if it stays, give its operator the request id.',
  },
  not_set_up: {
    status: 501,
    retryable: false,
    action: 'ASK_OPERATOR',
    instruction: 'The operator of this server has to set this up first; the message names the settings.',
  },
  unavailable: { status: 503, retryable: true, action: 'RETRY', instruction: 'Try again in a few seconds.' },
  process_goes_on: {
    status: 503,
    retryable: false,
    action: 'GET_PROCESS',
    instruction:
      'The server was stopped before the process ended, or cannot learn of its end, and the process goes on. Once the server is back, or "monitor" of GET /health is ok, ask for it by its processId (POST /process/get), or repeat a request that had an Idempotency-Key: it is answered with the end of that process. Without a key the same request would run it a second time.',
  },
  output_waits: {
    status: 503,
    retryable: false,
    action: 'GET_PROCESS',
    instruction:
      'The process has ended, and its output is kept: ask for it by its processId (POST /process/get), in parts. The same request would run it a second time.',
  },
  no_capacity: {
    status: 503,
    retryable: true,
    action: 'RETRY',
    instruction: 'The host has no room left just now. Try again later.',
  },
  upstream_unreachable: {
    status: 502,
    retryable: true,
    action: 'START_SERVER',
    instruction: 'Start a server on this port inside the computer first, then try again.',
  },
  computer_stopped: {
    status: 503,
    retryable: true,
    action: 'START_COMPUTER',
    instruction: 'The computer is stopped. Run something on it to start it.',
  },
  image_missing: {
    status: 503,
    retryable: false,
    action: 'BUILD_IMAGE',
    instruction: 'The operator has to build or import this image.',
  },
  disk_full: {
    status: 507,
    retryable: false,
    action: 'FREE_SPACE',
    instruction: 'Delete files that you no longer need, then try again.',
  },
} as const satisfies Record<string, ErrorRow>

interface ErrorRow {
  status: number
  retryable: boolean
  action: string
  instruction: string
}

export type ErrorCode = keyof typeof errorTable

/** What went wrong, by its row of the table. The message says the action, the quoted value, a colon and the reason. */
export class CarrelError extends Error {
  readonly code: ErrorCode
  /** Machine-readable facts: the field, the limit, the state. */
  readonly details: Record<string, unknown>

  constructor(code: ErrorCode, message: string, options: { details?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CarrelError'
    this.code = code
    this.details = options.details ?? {}
  }

  get status(): number {
    return errorTable[this.code].status
  }
}

/** The same error, a `no_capacity` for a disk that is full, or an `internal` one around whatever else was thrown. */
export function asCarrelError(error: unknown): CarrelError {
  const isKnown = error instanceof CarrelError && error.code !== 'internal'
  if (!isKnown && isOutOfDescriptors(error))
    return new CarrelError('no_capacity', 'The server has no file descriptor left for the request', { cause: error })
  if (error instanceof CarrelError) return error
  if (isOutOfRoom(error)) return new CarrelError('no_capacity', 'The disk of the host is full', { cause: error })
  return new CarrelError('internal', 'The server failed to handle the request', { cause: error })
}

/** Whether something failed, at whatever depth, because the server or its host had no file descriptor left just then. */
export function isOutOfDescriptors(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EMFILE' || code === 'ENFILE') return true
  }
  return false
}
/** What a system call says of a full disk, and what SQLite does. */
function isOutOfRoom(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, errno, errcode } = error as NodeJS.ErrnoException & { errcode?: number }
  if (code === 'ERR_SQLITE_ERROR') return errcode !== undefined && fullResults.has(errcode)
  return code === 'ENOSPC' || code === 'EDQUOT' || errno === -EDQUOT
}

/** SQLITE_FULL, and SQLITE_IOERR_SHMSIZE for the index of its log. */
const fullResults = new Set([13, 4874])
/** libuv has no name for it. */
const EDQUOT = 122
