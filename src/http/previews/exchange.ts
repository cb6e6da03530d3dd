import type { IncomingMessage, ServerResponse } from 'node:http'
import { releaseWritten } from '../../release-chunk.ts'
import { onDisconnect } from '../on-disconnect.ts'
import { ResponseParser, type ResponseHead } from './response-parser.ts'
import type { TokenFinder } from './without-tokens.ts'
import { responseHeaders } from './relayed-headers.ts'
import { hasBody, RequestSender } from './request-sender.ts'
import type { Traffic, Upstream } from './upstream.ts'

interface Options {
  upstream: Upstream
  request: IncomingMessage
  response: ServerResponse
  /** Finds Carrel's own tokens, which must not reach the computer. */
  ownTokens: TokenFinder
  /** Receives the connection when it can be reused, for at most as long as the server in the computer keeps it open. */
  keep: (upstream: Upstream, forMs: number) => void
}

/** A kept connection was closed before any byte of the response arrived, and the request can safely be repeated. */
export class StaleConnection extends Error {}

/** Sends one request over a connection into a computer, and the response back as fast as the client reads it. */
export class Exchange implements Traffic {
  readonly #options: Options
  readonly #parser: ResponseParser
  readonly #sender: RequestSender
  readonly #completion = Promise.withResolvers<void>()
  #stopWatching = () => {}
  /** The head of the response, until it is sent. */
  #head: ResponseHead | undefined
  #withTrailers = false
  #keepAliveMs = Infinity
  /** The parts of the body that arrived in one read: they are sent in one write. */
  readonly #parts: Buffer[] = []
  #unwritten = 0
  #hints = 0
  /** Whether nothing more is expected from the computer. */
  #isOver = false

  /**
   * Resolves when the response has been sent. Rejects when it cannot be relayed; with `StaleConnection` for a stale
   * connection.
   */
  static run(options: Options): Promise<void> {
    const exchange = new Exchange(options)
    exchange.#start()
    return exchange.#completion.promise
  }

  private constructor(options: Options) {
    const { upstream, request, ownTokens } = options
    this.#options = options
    this.#sender = new RequestSender(upstream.socket, request, ownTokens)
    this.#parser = new ResponseParser(request.method!, {
      onHead: (head) => this.#takeHead(head),
      onInformation: (head) => this.#takeInformation(head),
      onBody: (part) => void this.#parts.push(part),
    })
  }

  #start(): void {
    const { upstream, request } = this.#options
    upstream.begin(this)
    this.#stopWatching = onDisconnect(request.socket, () => this.#fail(new Error('the client is gone')))
    if (!this.#isOver) this.#sender.start()
  }

  onData(bytes: Buffer): void {
    try {
      this.#parser.push(bytes)
      if (this.#parser.isDone) this.#finish()
      else this.#flush()
    } catch (error) {
      this.#fail(error)
    }
  }

  onDrain(): void {
    this.#sender.onDrain()
  }

  onEnd(error?: Error): void {
    try {
      if (error) throw error
      this.#parser.end()
      this.#finish()
    } catch (reason) {
      this.#fail(reason)
    }
  }

  #takeInformation({ status, headers }: ResponseHead): void {
    if (status !== 103 || this.#hints === maxHints) return
    this.#hints += 1
    const link = headers.filter((_, index) => index % 2 === 1 && headers[index - 1] === 'link')
    try {
      if (link.length > 0) this.#options.response.writeEarlyHints({ link })
    } catch {
      // Malformed hints are left out.
    }
  }

  #takeHead(head: ResponseHead): void {
    this.#head = head
    this.#keepAliveMs = keepAliveMs(head)
    this.#withTrailers = isChunked(head.status, this.#options.response) && this.#parser.isChunked
  }

  /** Sends what has arrived: also a head alone, because its body may take a long time. */
  #flush(): void {
    if (this.#parts.length > 0) this.#writeParts()
    else if (this.#head) {
      this.#writeHead()
      this.#options.response.flushHeaders()
    }
  }

  /**
   * Sends the head: not before the first part of the body or a flush, so that a fault can still become an error
   * response.
   */
  #writeHead(): void {
    const head = this.#head
    if (!head) return
    this.#head = undefined
    this.#options.response.writeHead(head.status, head.reason, responseHeaders(head, this.#withTrailers))
  }

  /**
   * Pauses the computer while writes are pending: many small parts must not pile up either, as each costs more than its
   * bytes.
   */
  #writeParts(): void {
    this.#writeHead()
    const { upstream, response } = this.#options
    const copy = Buffer.concat(this.#parts.splice(0))
    const release = releaseWritten(copy)
    this.#unwritten += 1
    const takesMore = response.write(copy, (error) => {
      release(error)
      this.#unwritten -= 1
      if (this.#unwritten === 0 && !this.#isOver && upstream.socket.isPaused()) upstream.socket.resume()
    })
    if (!takesMore || this.#unwritten >= maxUnwritten) upstream.socket.pause()
  }

  #finish(): void {
    const { upstream, response, keep } = this.#options
    this.#isOver = true
    upstream.release()
    if (this.#parser.keepsAlive && this.#sender.isSent) keep(upstream, this.#keepAliveMs)
    else {
      this.#sender.stop()
      upstream.socket.destroy()
    }
    this.#writeHead()
    if (this.#withTrailers && this.#parser.trailers.length > 0) response.addTrailers(trailersOf(this.#parser.trailers))
    response.once('finish', () => {
      this.#stopWatching()
      this.#completion.resolve()
    })
    if (this.#parts.length === 0) return void response.end()
    const rest = Buffer.concat(this.#parts.splice(0))
    // A string is sent in one piece with the head.
    if (rest.length < maxTextBytes) response.end(rest.toString('latin1'), 'latin1')
    else response.end(rest)
  }

  #fail(reason: unknown): void {
    const { upstream, request } = this.#options
    if (!this.#isOver) {
      this.#isOver = true
      this.#sender.stop()
      upstream.release()
      upstream.socket.destroy()
    }
    this.#stopWatching()
    const isStale = upstream.uses > 1 && !this.#parser.hasBegun && isRepeatable(request)
    this.#completion.reject(isStale ? new StaleConnection('', { cause: reason }) : reason)
  }
}

/** Returns how long the other end keeps the connection open, less a second for what is in transit. */
function keepAliveMs({ headers }: ResponseHead): number {
  for (let i = 0; i < headers.length; i += 2) {
    const [, seconds] = (headers[i] === 'keep-alive' && /timeout=(\d+)/i.exec(headers[i + 1]!)) || []
    if (seconds !== undefined) return (Number(seconds) - 1) * 1000
  }
  return Infinity
}

/** Larger parts are not worth a second copy. */
const maxTextBytes = 4096

/** How many early hints are relayed: they are sent at once, whether or not the client reads. */
const maxHints = 16

/** How many writes may be pending before the computer is paused. */
const maxUnwritten = 64

/** Whether the client receives the body in chunks: only they can be followed by trailers. */
function isChunked(status: number, { req, useChunkedEncodingByDefault }: ServerResponse): boolean {
  return useChunkedEncodingByDefault && req.method !== 'HEAD' && status !== 204 && status !== 304
}

function trailersOf(raw: string[]): [string, string][] {
  const kept = responseHeaders({ status: 200, reason: '', headers: raw }, false)
  return kept.flatMap((name, index) => (index % 2 === 0 && name !== 'content-length' ? [[name, kept[index + 1]!]] : []))
}

/** Whether a request can safely be sent twice. */
function isRepeatable(request: IncomingMessage): boolean {
  const { method } = request
  return (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') && !hasBody(request)
}
