import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { releaseWritten } from '../../release-chunk.ts'
import { headersWithoutTokens, targetWithoutTokens, type TokenFinder } from './without-tokens.ts'
import { headerLines, requestHeaders } from './relayed-headers.ts'

/** Writes a request to a connection as it arrives from the client, as fast as the other end accepts it. */
export class RequestSender {
  readonly #socket: Duplex
  readonly #request: IncomingMessage
  readonly #ownTokens: TokenFinder
  readonly #isChunked: boolean
  #stopped = false
  #sent = false

  constructor(socket: Duplex, request: IncomingMessage, ownTokens: TokenFinder) {
    this.#socket = socket
    this.#request = request
    this.#ownTokens = ownTokens
    this.#isChunked = request.headers['transfer-encoding'] !== undefined
  }

  /** Whether the whole request is written, so that another one may follow. */
  get isSent(): boolean {
    return this.#sent
  }

  start(): void {
    const { method, url = '/' } = this.#request
    const target = targetWithoutTokens(url, this.#ownTokens)
    const headers = requestHeaders(this.#request, this.#ownTokens)
    this.#socket.write(
      `${method} ${target} HTTP/1.1\r\n${headerLines(headers)}connection: keep-alive\r\n\r\n`,
      'latin1',
    )
    if (!hasBody(this.#request)) {
      this.#sent = true
      return
    }
    this.#request.on('data', this.#sendPart)
    this.#request.on('end', this.#sendEnd)
  }

  /** Resumes reading from the client once the other end accepts more. */
  onDrain(): void {
    if (!this.#sent) this.#request.resume()
  }

  /** Drops whatever of the request still arrives. */
  stop(): void {
    if (this.#sent || this.#stopped) return
    this.#stopped = true
    this.#request.off('data', this.#sendPart)
    this.#request.off('end', this.#sendEnd)
    this.#request.resume()
  }

  readonly #sendPart = (chunk: Buffer): void => {
    const socket = this.#socket
    if (!socket.writable) return
    const release = releaseWritten(chunk)
    let takesMore: boolean
    if (this.#isChunked) {
      socket.cork()
      socket.write(`${chunk.length.toString(16)}\r\n`)
      socket.write(chunk, release)
      takesMore = socket.write('\r\n')
      socket.uncork()
    } else takesMore = socket.write(chunk, release)
    if (!takesMore) this.#request.pause()
  }

  readonly #sendEnd = (): void => {
    this.#sent = true
    if (!this.#isChunked || !this.#socket.writable) return
    const trailers = headersWithoutTokens(this.#request.rawTrailers, this.#ownTokens)
    this.#socket.write(`0\r\n${headerLines(trailers)}\r\n`, 'latin1')
  }
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}
