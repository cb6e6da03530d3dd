import {
  Agent,
  request as httpRequest,
  type ClientRequestArgs,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream'
import type { Engine } from '../../engine/engine.ts'
import { findExposed } from '../../engine/ports/find-exposed.ts'
import { asCarrelError, CarrelError } from '../../errors.ts'
import { answerPage } from './answer-page.ts'
import type { PreviewTarget } from './preview-name.ts'

/**
 * Hands HTTP requests and WebSockets over to the server behind a port of a computer. Both directions are streamed. An
 * open request is use of the computer; a request to one that does not run never starts it.
 */
export class PreviewProxy {
  readonly #engine: Engine
  readonly #agent: Agent

  constructor(engine: Engine) {
    this.#engine = engine
    this.#agent = new ComputerAgent((id, port) => engine.driver.dial(id, port))
  }

  async handle(target: PreviewTarget, request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const computer = await findExposed(this.#engine, target.computerId, target.port)
      const done = this.#engine.activity.begin(computer.id)
      response.once('close', done)
      await this.#forward(target, request, response)
    } catch (error) {
      this.#fail(request, response, error)
    }
  }

  async upgrade(target: PreviewTarget, request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    client.on('error', () => {})
    try {
      const computer = await findExposed(this.#engine, target.computerId, target.port)
      const upstream = await this.#engine.driver.dial(computer.id, target.port)
      const done = this.#engine.activity.begin(computer.id)
      client.once('close', done)
      upstream.write(requestHead(request))
      if (head.length > 0) upstream.write(head)
      pipeline(client, upstream, client, () => client.destroy())
    } catch (error) {
      const { status, message } = asCarrelError(error)
      client.end(
        `HTTP/1.1 ${status} Error\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(message)}\r\nconnection: close\r\n\r\n${message}`,
      )
    }
  }

  #forward(target: PreviewTarget, request: IncomingMessage, response: ServerResponse): Promise<void> {
    return new Promise((resolve, reject) => {
      const { method, url } = request
      const upstream = httpRequest({
        agent: this.#agent,
        host: target.computerId,
        port: target.port,
        method,
        path: url,
        headers: forwarded(request),
        setHost: false,
      })
      upstream.on('response', (answer) => {
        response.writeHead(answer.statusCode!, answer.statusMessage, answerHeaders(answer))
        pipeline(answer, response, () => {
          if (!answer.complete) response.destroy()
          else if (!response.writableEnded) response.end()
          resolve()
        })
        answer.on('end', () => {
          if (Object.keys(answer.trailers).length > 0) response.addTrailers(answer.trailers)
        })
      })
      upstream.on('information', ({ statusCode, headers }) => {
        if (statusCode === 103) response.writeEarlyHints(headers as Record<string, string>)
      })
      upstream.on('error', (cause) => {
        if (response.headersSent) response.destroy()
        reject(cause)
      })
      response.on('close', () => {
        if (!response.writableFinished) upstream.destroy()
      })
      request.pipe(upstream)
    })
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (response.destroyed || response.headersSent) return void response.destroy()
    const known =
      error instanceof CarrelError
        ? error
        : new CarrelError(
            'upstream_unreachable',
            'Cannot open the preview: the server behind it closed the connection',
            { cause: error },
          )
    if (!(error instanceof CarrelError)) this.#engine.log.debug({ err: error }, 'a preview failed')
    answerPage(request, response, known)
  }
}

/** Connections into computers, kept for the next request. Hosts are computers' ids. */
class ComputerAgent extends Agent {
  readonly #dial: (computerId: string, port: number) => Promise<Duplex>

  constructor(dial: (computerId: string, port: number) => Promise<Duplex>) {
    super({ keepAlive: true, maxFreeSockets: 64, timeout: 0 })
    this.#dial = dial
  }

  override createConnection(
    options: ClientRequestArgs,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    this.#dial(options.host!, Number(options.port)).then(
      (socket) => callback!(null, socket),
      (error: Error) => callback!(error, undefined as unknown as Duplex),
    )
    return undefined
  }
}

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

function forwarded(request: IncomingMessage): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(request.headers)) if (!hopByHop.has(name)) headers[name] = value
  if (request.headers['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked'
  headers['x-forwarded-for'] = [request.headers['x-forwarded-for'], request.socket.remoteAddress]
    .flat()
    .filter(Boolean)
    .join(', ')
  headers['x-forwarded-host'] ??= request.headers.host
  headers['x-forwarded-proto'] ??= 'http'
  return headers
}

/** A cookie of a preview holds for that preview's own name alone. */
function answerHeaders(answer: IncomingMessage): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(answer.headers)) if (!hopByHop.has(name)) headers[name] = value
  const cookies = answer.headers['set-cookie']
  if (cookies) headers['set-cookie'] = cookies.map((cookie) => cookie.replace(/;\s*domain=[^;]*/gi, ''))
  return headers
}

function requestHead(request: IncomingMessage): string {
  const lines = [`${request.method} ${request.url} HTTP/1.1`]
  for (let index = 0; index < request.rawHeaders.length; index += 2)
    lines.push(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}
