/** The head of a response: as it was sent, except that header names are in lower case. */
export interface ResponseHead {
  /** 100 to 999 */
  status: number
  reason: string
  /** Names and values alternately, in the order in which they arrived; names in lower case. */
  headers: string[]
}

interface Handlers {
  /** Called once, with the head of the final response. */
  onHead: (head: ResponseHead) => void
  /** Called with the head of each interim response (1xx). */
  onInformation: (head: ResponseHead) => void
  /** Called with each part of the body: a view of the chunk that was pushed, never empty. */
  onBody: (chunk: Buffer) => void
}

type State = 'head' | 'length' | 'until-close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' | 'done'

/** What the headers say about the body and the connection of a response. */
interface Framing {
  state: State
  /** Bytes of the body, for the state `length`. */
  length: number
  keepsAlive: boolean
}

/**
 * Parses one HTTP/1 response (RFC 9112) as it arrives, and keeps nothing of its body. Throws when the response is not
 * well-formed: a server in a computer is never trusted, and nothing passes that two parsers could read differently.
 */
export class ResponseParser {
  readonly #isBodyless: boolean
  readonly #handlers: Handlers
  #state: State = 'head'
  /** How many bytes of the body or chunk are still to come. */
  #left = 0
  /** The beginning of a head, line or trailer section whose end has not arrived yet. */
  #held: Buffer | undefined
  #keepsAlive = false
  /** Whether any byte has arrived. */
  hasBegun = false
  /** Names and values alternately, once the response is complete. */
  trailers: string[] = []

  /** @param method of the request: a response to HEAD has no body */
  constructor(method: string, handlers: Handlers) {
    this.#isBodyless = method === 'HEAD'
    this.#handlers = handlers
  }

  get isDone(): boolean {
    return this.#state === 'done'
  }

  /** Whether the body is sent in chunks, which trailers may follow. Meaningful in `onHead`. */
  get isChunked(): boolean {
    return this.#state === 'chunk-size'
  }

  /** Whether the connection can be reused once the response is complete. */
  get keepsAlive(): boolean {
    return this.#keepsAlive
  }

  push(chunk: Buffer): void {
    this.hasBegun = true
    const data = this.#held ? Buffer.concat([this.#held, chunk]) : chunk
    this.#held = undefined
    let at = 0
    while (at < data.length) {
      const next = this.#step(data, at)
      if (next === undefined) return this.#hold(data, at)
      at = next
    }
  }

  /** Reports the end of the connection. Throws when the response is incomplete. */
  end(): void {
    if (this.#state === 'until-close') this.#state = 'done'
    if (this.#state !== 'done') throw new Error('the response was cut off')
  }

  #hold(data: Buffer, from: number): void {
    this.#held = Buffer.from(data.subarray(from))
    if (this.#held.length > (this.#state === 'chunk-size' ? maxLineBytes : maxHeadBytes))
      throw new Error('the head of the response is too long')
  }

  /** Consumes bytes from `at`. Returns where the rest begins; undefined when more bytes are needed first. */
  #step(data: Buffer, at: number): number | undefined {
    switch (this.#state) {
      case 'head':
        return this.#takeHead(data, at)
      case 'length':
        return this.#takeBody(data, at, 'done')
      case 'chunk':
        return this.#takeBody(data, at, 'chunk-end')
      case 'until-close':
        this.#handlers.onBody(at === 0 ? data : data.subarray(at))
        return data.length
      case 'chunk-size':
        return this.#takeChunkSize(data, at)
      case 'chunk-end':
        return this.#takeChunkEnd(data, at)
      case 'trailers':
        return this.#takeTrailers(data, at)
      case 'done':
        // Nothing may follow a response: whatever does was not requested.
        this.#keepsAlive = false
        return data.length
    }
  }

  #takeHead(data: Buffer, at: number): number | undefined {
    const end = data.indexOf('\r\n\r\n', at, 'latin1')
    if (end === -1) return undefined
    if (end - at > maxHeadBytes) throw new Error('the head of the response is too long')
    const [statusLine = '', ...lines] = data.toString('latin1', at, end).split('\r\n')
    const [, minor, code, reason = ''] = statusPattern.exec(statusLine) ?? []
    const status = Number(code)
    if (!(status >= 100)) throw new Error('the response is not HTTP/1')
    const head = { status, reason, headers: parseHeaders(lines) }
    if (status === 101) throw new Error('the server switched to a protocol that was not requested')
    if (status < 200) {
      this.#handlers.onInformation(head)
      return end + 4
    }
    const framing = framingOf(head, minor === '1', this.#isBodyless)
    this.#keepsAlive = framing.keepsAlive
    this.#left = framing.length
    this.#state = framing.state
    this.#handlers.onHead(head)
    return end + 4
  }

  #takeBody(data: Buffer, at: number, next: State): number {
    const end = Math.min(data.length, at + this.#left)
    this.#left -= end - at
    if (this.#left === 0) this.#state = next
    this.#handlers.onBody(at === 0 && end === data.length ? data : data.subarray(at, end))
    return end
  }

  #takeChunkSize(data: Buffer, at: number): number | undefined {
    const end = data.indexOf('\r\n', at, 'latin1')
    if (end === -1) return undefined
    const [, size] = chunkPattern.exec(data.toString('latin1', at, end)) ?? []
    if (size === undefined) throw new Error('a chunk of the response has no valid size')
    this.#left = Number.parseInt(size, 16)
    this.#state = this.#left === 0 ? 'trailers' : 'chunk'
    return end + 2
  }

  #takeChunkEnd(data: Buffer, at: number): number | undefined {
    if (data.length - at < 2) return undefined
    if (data[at] !== 13 || data[at + 1] !== 10)
      throw new Error('a chunk of the response does not have the size that it announces')
    this.#state = 'chunk-size'
    return at + 2
  }

  #takeTrailers(data: Buffer, at: number): number | undefined {
    // Without trailers, the empty line directly follows the line of the last chunk.
    const isEmpty = data[at] === 13 && data[at + 1] === 10
    const end = isEmpty ? at - 2 : data.indexOf('\r\n\r\n', at, 'latin1')
    if (!isEmpty && end === -1) return undefined
    if (!isEmpty) this.trailers = parseHeaders(data.toString('latin1', at, end).split('\r\n'))
    this.#state = 'done'
    return end + 4
  }
}

const statusPattern = /^HTTP\/1\.([01]) (\d{3})(?: ([\t\x20-\x7e\x80-\xff]*))?$/
const namePattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/
const chunkPattern = /^([0-9A-Fa-f]{1,12})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/

/** As much as common servers ever send, cookies included. */
const maxHeadBytes = 64 * 1024
/** The line with a chunk's size and extensions. */
const maxLineBytes = 1024

function parseHeaders(lines: string[]): string[] {
  const headers: string[] = []
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0))
    const value = withoutSpace(line, colon + 1)
    if (!namePattern.test(name) || !valuePattern.test(value)) throw new Error('the response has an invalid header')
    headers.push(name.toLowerCase(), value)
  }
  return headers
}

/**
 * Returns the rest of a line without surrounding spaces and tabs. Other white space stays: another parser might keep
 * it.
 */
function withoutSpace(line: string, from: number): string {
  let [start, end] = [from, line.length]
  while (start < end && isSpace(line.charCodeAt(start))) start++
  while (end > start && isSpace(line.charCodeAt(end - 1))) end--
  return line.slice(start, end)
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9
}

/** Follows RFC 9112, section 6.3, and throws where the RFC leaves the decision to the recipient. */
function framingOf({ status, headers }: ResponseHead, isCurrent: boolean, isBodyless: boolean): Framing {
  let length: string | undefined
  let coding: string | undefined
  let connection = ''
  for (let i = 0; i < headers.length; i += 2) {
    const value = headers[i + 1]!
    if (headers[i] === 'content-length') {
      if (length !== undefined || !/^\d{1,15}$/.test(value))
        throw new Error('the response has an invalid content-length')
      length = value
    } else if (headers[i] === 'transfer-encoding') coding = coding === undefined ? value : `${coding}, ${value}`
    else if (headers[i] === 'connection') connection += `,${value.toLowerCase()}`
  }
  if (length !== undefined && coding !== undefined) throw new Error('the response has both a content-length and chunks')
  const says = (word: string) => connection !== '' && connection.split(/[\s,]+/).includes(word)
  const keepsAlive = isCurrent ? !says('close') : says('keep-alive')
  if (isBodyless || status === 204 || status === 304) return { state: 'done', length: 0, keepsAlive }
  if (coding !== undefined && /(^|[\s,])chunked$/i.test(coding)) return { state: 'chunk-size', length: 0, keepsAlive }
  if (length !== undefined)
    return Number(length) === 0
      ? { state: 'done', length: 0, keepsAlive }
      : { state: 'length', length: Number(length), keepsAlive }
  return { state: 'until-close', length: 0, keepsAlive: false }
}
