import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { whenGone } from '../when-gone.ts'
import type { ComputerAgent } from './computer-agent.ts'
import type { PreviewTarget } from './preview-name.ts'
import { relayBody } from './relay-body.ts'
import { reasonOf } from './reason-of.ts'
import { answerHeaders, requestHeaders } from './relayed-headers.ts'

/**
 * Sends a request on into a computer and its answer back; resolves when the answer is through. Rejects when there is
 * none that can be sent on: what the server in the computer says is never trusted to be valid.
 */
export async function forwardRequest(
  agent: ComputerAgent,
  target: PreviewTarget,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    await attempt(agent, target, request, response)
  } catch (error) {
    // A kept connection that the server closed in the same moment.
    if (!(error instanceof StaleConnection) || request.socket.destroyed) throw error
    await attempt(agent, target, request, response)
  }
}

class StaleConnection extends Error {}

function attempt(
  agent: ComputerAgent,
  target: PreviewTarget,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const { method, url: path } = request
  const upstream = httpRequest({
    agent,
    host: target.computerId,
    port: target.port,
    method,
    path,
    headers: requestHeaders(request),
    setHost: false,
  })
  const release = whenGone(request.socket, () => {
    upstream.destroy()
    reject(new Error('the client is gone'))
  })
  upstream.on('response', (answer) => attemptTo(reject, () => relayAnswer(answer, response, resolve, reject)))
  upstream.on('information', ({ statusCode, headers }) => {
    // Hints that are not well-formed are left out.
    if (statusCode === 103)
      attemptTo(
        () => {},
        () => response.writeEarlyHints(headers as Record<string, string>),
      )
  })
  upstream.on('upgrade', (_answer, socket) => {
    socket.destroy()
    reject(new Error('it switched to a protocol that nobody asked for'))
  })
  upstream.on('error', (cause) => {
    const stale = upstream.reusedSocket && !response.headersSent && isRepeatable(request)
    reject(stale ? new StaleConnection('', { cause }) : cause)
  })
  attemptTo(reject, () => {
    if (!hasBody(request)) return void upstream.end()
    upstream.flushHeaders()
    relayBody(request, upstream, reject)
  })
  return promise
    .catch((error: unknown) => {
      upstream.destroy()
      throw error
    })
    .finally(release)
}

/** Sends an answer on as fast as the client takes it. */
function relayAnswer(
  answer: IncomingMessage,
  response: ServerResponse,
  resolve: () => void,
  reject: (error: unknown) => void,
): void {
  const headers = answerHeaders(answer)
  if (!isChunked(answer, response)) delete headers['trailer']
  response.writeHead(answer.statusCode!, reasonOf(answer), headers)
  response.once('finish', resolve)
  relayBody(answer, response, reject)
  answer.on('error', reject)
  answer.on('close', () => {
    if (!answer.complete) reject(new Error('its answer broke off'))
  })
}

/** Whether the client gets it in chunks, behind which alone there are trailers. */
function isChunked({ statusCode }: IncomingMessage, { req, useChunkedEncodingByDefault }: ServerResponse): boolean {
  return useChunkedEncodingByDefault && req.method !== 'HEAD' && statusCode !== 204 && statusCode !== 304
}

function attemptTo(reject: (error: unknown) => void, work: () => void): void {
  try {
    work()
  } catch (error) {
    reject(error)
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

/** Whether it does no harm to send it twice. */
function isRepeatable(request: IncomingMessage): boolean {
  const { method } = request
  return (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') && !hasBody(request)
}
