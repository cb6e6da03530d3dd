import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import type { ComputerAgent } from './computer-agent.ts'
import type { PreviewTarget } from './preview-name.ts'
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
    if (!(error instanceof StaleConnection) || response.destroyed) throw error
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
  upstream.on('response', (answer) =>
    attemptTo(reject, () => {
      response.writeHead(answer.statusCode!, answerHeaders(answer))
      answer.on('end', () => attemptTo(reject, () => response.addTrailers(answer.trailers)))
      pipeline(answer, response, () => {
        if (!answer.complete) response.destroy()
        resolve()
      })
    }),
  )
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
    const stale = upstream.reusedSocket && !response.headersSent && hasNoBody(request)
    reject(stale ? new StaleConnection('', { cause }) : cause)
  })
  const abort = () => {
    if (!response.writableFinished) upstream.destroy()
  }
  response.once('close', abort)
  attemptTo(reject, () => {
    upstream.flushHeaders()
    request.on('end', () => attemptTo(reject, () => upstream.addTrailers(request.trailers)))
    request.pipe(upstream)
  })
  return promise.catch((error: unknown) => {
    upstream.destroy()
    throw error
  })
}

function attemptTo(reject: (error: unknown) => void, work: () => void): void {
  try {
    work()
  } catch (error) {
    reject(error)
  }
}

function hasNoBody({ method, headers }: IncomingMessage): boolean {
  const safe = method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
  return safe && headers['content-length'] === undefined && headers['transfer-encoding'] === undefined
}
