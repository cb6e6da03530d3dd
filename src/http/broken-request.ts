import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { CarrelError } from '../errors.ts'
import { errorAnswer, errorFormOf, type ErrorForm } from './error-form.ts'
import { sendLastAnswer } from './last-answer.ts'

/** What Node tells of a request that it could not read: `rawPacket` is a Buffer, whatever Fastify's types say. */
type Broken = NodeJS.ErrnoException & { rawPacket?: unknown }

/**
 * Answers what is no HTTP request, or never became a whole one, and closes the connection. The address decides on the form
 * of the answer; it is read from what came, where it is not known.
 */
export function answerBrokenRequest(
  error: Broken,
  socket: Socket,
  forms: readonly ErrorForm[],
  address: string = addressIn(error.rawPacket),
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const requestId = randomUUID()
  const { status, text: body } = errorAnswer(errorFormOf(forms, address), meaning(error), requestId)
  sendLastAnswer(
    socket,
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nx-request-id: ${requestId}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

function addressIn(packet: unknown): string {
  if (!Buffer.isBuffer(packet)) return ''
  return /^[A-Z]+ (\S+)/.exec(packet.toString('latin1', 0, 200))?.[1] ?? ''
}

function meaning(error: NodeJS.ErrnoException): CarrelError {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new CarrelError('request_timeout', 'Cannot read the request: it did not arrive in time', { cause: error })
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return new CarrelError('too_large', 'Cannot read the request: its headers are larger than 16 KiB', {
      details: { maxBytes: 16 * 1024 },
      cause: error,
    })
  return new CarrelError('invalid_request', 'Cannot read the request: it is not valid HTTP', { cause: error })
}
