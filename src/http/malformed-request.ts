import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { CarrelError } from '../errors.ts'
import { errorAnswer, type ErrorEnvelope } from './error-envelope.ts'
import { sendFinalResponse } from './final-response.ts'
import { surfaceOf, type Surface } from './surface.ts'

/** Node's error for a request that it could not parse: `rawPacket` is a Buffer, whatever Fastify's types say. */
type Broken = NodeJS.ErrnoException & { rawPacket?: unknown }

/** The response to the newest request of each connection. */
const newest = new WeakMap<Socket, ServerResponse>()

/** Remembers the newest request of a connection, in case its body never becomes complete. */
export function noteRequest(response: ServerResponse): void {
  newest.set(response.req.socket, response)
}

/**
 * Answers bytes that are not an HTTP request, or an incomplete request, and closes the connection. The address decides
 * on the error envelope: it is `address`, or that of the request whose body was arriving, or is read from the bytes. A
 * request that was answered before its body was cut off gets no second response, which would be mistaken for the
 * response to the next request.
 */
export function answerMalformedRequest(
  error: Broken,
  socket: Socket,
  surfaces: readonly Surface[],
  address?: string,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const { req: request, headersSent: isAnswered } = newest.get(socket) ?? {}
  const isOfBody = request !== undefined && !request.complete
  if (isOfBody && isAnswered) return socket.destroySoon()
  const about = address ?? (isOfBody ? request.url : undefined) ?? addressIn(error.rawPacket)
  sendRefusal(socket, surfaceOf(surfaces, about).envelope, meaning(error))
}

/** Refuses an upgrade to another protocol at a path without a WebSocket. */
export function refuseUpgrade(request: IncomingMessage, socket: Duplex, surfaces: readonly Surface[]): void {
  const [path = ''] = (request.url ?? '').split('?', 1)
  const message = `Cannot open a WebSocket at ${path.slice(0, 200)}: there is none`
  sendRefusal(socket, surfaceOf(surfaces, path).envelope, new CarrelError('route_not_found', message))
}

function sendRefusal(socket: Duplex, envelope: ErrorEnvelope, error: CarrelError): void {
  const requestId = randomUUID()
  const { status, text: body } = errorAnswer(envelope, error, requestId)
  sendFinalResponse(
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
