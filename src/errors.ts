/**
 * Every error that Carrel answers with. Code, status and wording come from this table; a surface has its own
 * envelope, and its own instructions where one of its routes is the next step.
 * `action` names the next step for a program, `instruction` describes it for an agent.
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
    instruction: 'Send a valid token in "Authorization: Bearer <token>".',
  },
  out_of_credits: {
    status: 402,
    retryable: false,
    action: 'TOP_UP',
    instruction: 'Add credit to the account, then send the request again.',
  },
  spending_limit_reached: {
    status: 402,
    retryable: false,
    action: 'RAISE_LIMIT',
    instruction:
      'A spending limit of this account or token is used up. Wait until resetsAt, or ask an admin to raise the limit.',
  },
  payment_required: {
    status: 402,
    retryable: false,
    action: 'ANSWER_CHALLENGE',
    instruction:
      'Answer one of the challenges in WWW-Authenticate: Payment, and send the same request again with Authorization: Payment <credential>.',
  },
  forbidden: {
    status: 403,
    retryable: false,
    action: 'USE_ANOTHER_TOKEN',
    instruction: 'This token does not permit the operation. Use a token that does.',
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
    instruction: 'Look the route up in the documentation, with its method.',
  },
  method_not_allowed: {
    status: 405,
    retryable: false,
    action: 'CHECK_ROUTE',
    instruction: 'Look the route up in the documentation, with its method.',
  },
  other_node: {
    status: 421,
    retryable: false,
    action: 'USE_ANOTHER_SERVER',
    instruction:
      "The computer is on another server that shares this one's accounts. Send the same request to the address in the error; without one, ask the operator for it.",
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
    instruction: 'Choose another id, or use the one that exists.',
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
    instruction:
      'Install the package that the message names in the sandbox, or ask the operator for an image that includes it.',
  },
  idempotency_mismatch: {
    status: 409,
    retryable: false,
    action: 'USE_ANOTHER_KEY',
    instruction: 'This Idempotency-Key was already used with a different request. Use a new key.',
  },
  idempotency_in_progress: {
    status: 409,
    retryable: true,
    action: 'RETRY',
    instruction: 'The first request with this Idempotency-Key is still running. Try again shortly.',
  },
  too_large: {
    status: 413,
    retryable: false,
    action: 'SEND_LESS',
    instruction: 'Stay within the stated limit, or send the data in parts.',
  },
  unsupported_media_type: {
    status: 415,
    retryable: false,
    action: 'SET_CONTENT_TYPE',
    instruction: 'Send the content type that is documented for the route.',
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
    instruction: 'Stop or delete something that you no longer need, then try again.',
  },
  rate_limited: {
    status: 429,
    retryable: true,
    action: 'WAIT',
    instruction: 'Send the request again after the number of seconds in Retry-After.',
  },
  internal: {
    status: 500,
    retryable: true,
    action: 'RETRY',
    instruction: 'The server has a fault. Try again; if the error persists, give the request id to the operator.',
  },
  not_set_up: {
    status: 501,
    retryable: false,
    action: 'ASK_OPERATOR',
    instruction: 'The operator of this server has to configure this first; the message names the settings.',
  },
  unavailable: { status: 503, retryable: true, action: 'RETRY', instruction: 'Try again in a few seconds.' },
  process_goes_on: {
    status: 503,
    retryable: false,
    action: 'GET_PROCESS',
    instruction:
      'The process continues: the server stopped before the process ended, or cannot find out whether it has ended. Once the server is back and its process monitor works, fetch the process by its processId, or repeat the request if it had an Idempotency-Key: the answer then reports how that process ended. Without a key, the same request runs the command a second time.',
  },
  output_waits: {
    status: 503,
    retryable: false,
    action: 'GET_PROCESS',
    instruction:
      'The process has ended and its output is kept: fetch the output in parts by the processId. Sending the same request again runs the command a second time.',
  },
  no_capacity: {
    status: 503,
    retryable: true,
    action: 'RETRY',
    instruction: 'The host has no capacity left at the moment. Try again later.',
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

/** An error of `errorTable`. The message states the action, the quoted value, a colon and the reason. */
export class CarrelError extends Error {
  readonly code: ErrorCode
  /** Machine-readable facts, such as the field, the limit or the state. */
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

/**
 * Returns a `CarrelError` as it is, and wraps whatever else was thrown: as `no_capacity` when the disk is full or no file
 * descriptor is left (which also replaces an `internal` error with that cause), else as `internal`.
 */
export function asCarrelError(error: unknown): CarrelError {
  const isKnown = error instanceof CarrelError && error.code !== 'internal'
  if (!isKnown && isOutOfDescriptors(error))
    return new CarrelError('no_capacity', 'The server has no file descriptor left for the request', { cause: error })
  if (error instanceof CarrelError) return error
  if (isDiskFull(error)) return new CarrelError('no_capacity', 'The disk of the host is full', { cause: error })
  return new CarrelError('internal', 'The server failed to handle the request', { cause: error })
}

/** Returns whether an error or any of its causes says that the server or its host had no file descriptor left. */
export function isOutOfDescriptors(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EMFILE' || code === 'ENFILE') return true
  }
  return false
}

/** Returns whether an error is what a system call or SQLite reports on a full disk. */
function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, errno, errcode } = error as NodeJS.ErrnoException & { errcode?: number }
  if (code === 'ERR_SQLITE_ERROR') return errcode !== undefined && fullResults.has(errcode)
  return code === 'ENOSPC' || code === 'EDQUOT' || errno === -EDQUOT
}

/** SQLITE_FULL, and SQLITE_IOERR_SHMSIZE for the index of the write-ahead log. */
const fullResults = new Set([13, 4874])
/** Disk quota exceeded; libuv has no name for this number. */
const EDQUOT = 122
