import { Code, ConnectError } from '@connectrpc/connect'
import { codeToString } from '@connectrpc/connect/protocol-connect'
import type { FastifyBaseLogger, FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { asCarrelError, type ErrorCode } from '../../../errors.ts'
import { logFailure } from '../../../http/log-failure.ts'
import { requestError } from '../../../http/validation-error.ts'

/** Connect's code for an error of the table, where it is not that of its status. */
const codes: Partial<Record<ErrorCode, Code>> = {
  already_exists: Code.AlreadyExists,
  out_of_credits: Code.ResourceExhausted,
  spending_limit_reached: Code.ResourceExhausted,
  disk_full: Code.ResourceExhausted,
  computer_stopped: Code.FailedPrecondition,
  other_node: Code.FailedPrecondition,
  not_set_up: Code.Unimplemented,
  request_timeout: Code.DeadlineExceeded,
}

const codesOfStatus: Record<number, Code> = {
  400: Code.InvalidArgument,
  401: Code.Unauthenticated,
  403: Code.PermissionDenied,
  404: Code.NotFound,
  405: Code.Unimplemented,
  409: Code.FailedPrecondition,
  413: Code.ResourceExhausted,
  415: Code.Unimplemented,
  429: Code.ResourceExhausted,
  500: Code.Internal,
  501: Code.Unimplemented,
  502: Code.Unavailable,
  503: Code.Unavailable,
}

/** Returns an error as Connect sends it; a fault of the server is logged. */
export function connectError(error: unknown, log: FastifyBaseLogger): ConnectError {
  if (error instanceof ConnectError) return error
  const known = asCarrelError(error)
  logFailure(log, known)
  return new ConnectError(known.message, codeOf(known.code, known.status))
}

/** Answers a request that does not reach Connect with an error in Connect's form. */
export function replyWithError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const known = requestError(error, request)
  logFailure(request.log, known, { route: request.routeOptions.url })
  if (known.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer')
  const { status, message } = known
  void reply.status(status).send({ code: codeToString(codeOf(known.code, status)), message })
}

function codeOf(code: ErrorCode, status: number): Code {
  return codes[code] ?? codesOfStatus[status] ?? Code.Unknown
}
