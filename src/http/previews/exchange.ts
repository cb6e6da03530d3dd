import type { IncomingMessage, ServerResponse } from 'node:http'
import { releaseWritten } from '../../release-chunk.ts'
import { onDisconnect } from '../on-disconnect.ts'
import { AnswerParser, type AnswerHead } from './answer-parser.ts'
import type { TokenFinder } from './without-tokens.ts'
import { answerHeaders } from './relayed-headers.ts'
import { hasBody, RequestSender } from './request-sender.ts'
import type { Traffic, Upstream } from './upstream.ts'

interface Options {
  upstream: Upstream
  request: IncomingMessage
  response: ServerResponse
  /** Finds what must not reach the computer. */
  ownTokens: TokenFinder
  /** Gets the connection when it may be used again, for as long as the other end says at most. */
  keep: (upstream: Upstream, forMs: number) => void
}

/** A kept connection was closed before it said anything to a request that does no harm when it is sent twice. */
export class StaleConnection extends Error {}

/** One request sent over a connection into a computer, and its answer sent back as fast as the client takes it. */
export class Exchange implements Traffic {
  readonly #options: Options
  readonly #parser: AnswerParser
  readonly #sender: RequestSender
  readonly #through = Promise.withResolvers<void>()
  #callOff = () => {}
  /** Of which nothing was sent. */
  #head: AnswerHead | undefined
  #withTrailers = false
  #keptMs = Infinity
  /** Of the body, what came in one read: it goes out in one write. */
  readonly #parts: Buffer[] = []
  #unwritten = 0
  #hints = 0
  /** Nothing more is expected of the computer. */
  #isOver = false

  /** Resolves when the answer is through. Rejects when there is none that can be sent on, and with `StaleConnection`. */
  static run(options: Options): Promise<void> {
    const exchange = new Exchange(options)
    exchange.#start()
    return exchange.#through.promise
  }

  private constructor(options: Options) {
    const { upstream, request, ownTokens } = options
    this.#options = options
    this.#sender = new RequestSender(upstream.socket, request, ownTokens)
    this.#parser = new AnswerParser(request.method!, {
      onHead: (head) => this.#takeHead(head),
      onInformation: (head) => this.#takeInformation(head),
      onBody: (part) => void this.#parts.push(part),
    })
  }

  #start(): void {
    const { upstream, request } = this.#options
    upstream.begin(this)
    this.#callOff = onDisconnect(request.socket, () => this.#fail(new Error('the client is gone')))
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

  #takeInformation({ status, headers }: AnswerHead): void {
    if (status !== 103 || this.#hints === maxHints) return
    this.#hints += 1
    const link = headers.filter((_, index) => index % 2 === 1 && headers[index - 1] === 'link')
    try {
      if (link.length > 0) this.#options.response.writeEarlyHints({ link })
    } catch {
      // Hints that are not well-formed are left out.
    }
  }

  #takeHead(head: AnswerHead): void {
    this.#head = head
    this.#keptMs = keptMs(head)
    this.#withTrailers = isChunked(head.status, this.#options.response) && this.#parser.isChunked
  }

  /** Sends what has come: also a head alone, whose body may be long in coming. */
  #flush(): void {
    if (this.#parts.length > 0) this.#writeParts()
    else if (this.#head) {
      this.#writeHead()
      this.#options.response.flushHeaders()
    }
  }

  /** Not before something of the body, as long as a fault can still be answered. */
  #writeHead(): void {
    const head = this.#head
    if (!head) return
    this.#head = undefined
    this.#options.response.writeHead(head.status, head.reason, answerHeaders(head, this.#withTrailers))
  }

  /** Goes on when all of it is written: also many small parts, which cost more than they hold, must not pile up. */
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
    if (this.#parser.keepsAlive && this.#sender.isSent) keep(upstream, this.#keptMs)
    else {
      this.#sender.stop()
      upstream.socket.destroy()
    }
    this.#writeHead()
    if (this.#withTrailers && this.#parser.trailers.length > 0) response.addTrailers(trailersOf(this.#parser.trailers))
    response.once('finish', () => {
      this.#callOff()
      this.#through.resolve()
    })
    if (this.#parts.length === 0) return void response.end()
    const rest = Buffer.concat(this.#parts.splice(0))
    // As text it goes out in one piece with the head.
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
    this.#callOff()
    const isStale = upstream.uses > 1 && !this.#parser.hasBegun && isRepeatable(request)
    this.#through.reject(isStale ? new StaleConnection('', { cause: reason }) : reason)
  }
}

/** For how long the other end keeps the connection open, with a second for what is on the way. */
function keptMs({ headers }: AnswerHead): number {
  for (let i = 0; i < headers.length; i += 2) {
    const [, seconds] = (headers[i] === 'keep-alive' && /timeout=(\d+)/i.exec(headers[i + 1]!)) || []
    if (seconds !== undefined) return (Number(seconds) - 1) * 1000
  }
  return Infinity
}

/** Larger parts are worth no second copy. */
const maxTextBytes = 4096

/** Hints that are sent on, which go out at once whether or not the client reads. */
const maxHints = 16

/** Writes of which the end is waited for. */
const maxUnwritten = 64

/** Whether the client gets it in chunks, behind which alone there are trailers. */
function isChunked(status: number, { req, useChunkedEncodingByDefault }: ServerResponse): boolean {
  return useChunkedEncodingByDefault && req.method !== 'HEAD' && status !== 204 && status !== 304
}

function trailersOf(raw: string[]): [string, string][] {
  const kept = answerHeaders({ status: 200, reason: '', headers: raw }, false)
  return kept.flatMap((name, index) => (index % 2 === 0 && name !== 'content-length' ? [[name, kept[index + 1]!]] : []))
}

/** Whether it does no harm to send it twice. */
function isRepeatable(request: IncomingMessage): boolean {
  const { method } = request
  return (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') && !hasBody(request)
}
