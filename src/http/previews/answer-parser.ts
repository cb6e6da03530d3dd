/** The head of an answer, as it was sent but for the case of names. */
export interface AnswerHead {
  /** 100 to 999 */
  status: number
  reason: string
  /** Names and values in turn, in the order in which they came; names in lower case. */
  headers: string[]
}

interface Handlers {
  /** Once, with the head of the final answer. */
  onHead: (head: AnswerHead) => void
  /** With each that comes before it (1xx). */
  onInformation: (head: AnswerHead) => void
  /** A part of what was pushed, in the same memory; never empty. */
  onBody: (chunk: Buffer) => void
}

type State = 'head' | 'length' | 'until-close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' | 'done'

/** What an answer has to do with its connection and its body, from its headers. */
interface Framing {
  state: State
  /** Bytes of the body, for the state `length`. */
  length: number
  keepsAlive: boolean
}

/**
 * Reads one answer of HTTP/1 (RFC 9112) as it comes, and keeps nothing of its body. What is not well-formed throws: a server in a
 * computer is never trusted, and what two readers could take for different things must not pass.
 */
export class AnswerParser {
  readonly #noBody: boolean
  readonly #handlers: Handlers
  #state: State = 'head'
  /** Of the body or the chunk, what is still to come. */
  #left = 0
  /** The beginning of a head, a line or trailers whose end has not come. */
  #held: Buffer | undefined
  #keepsAlive = false
  /** Whether anything has come at all. */
  hasBegun = false
  /** Names and values in turn, of an answer that is through. */
  trailers: string[] = []

  /** @param method of the request: an answer to HEAD has no body */
  constructor(method: string, handlers: Handlers) {
    this.#noBody = method === 'HEAD'
    this.#handlers = handlers
  }

  get isDone(): boolean {
    return this.#state === 'done'
  }

  /** Whether its body comes in chunks, behind which there may be trailers; known with the head. */
  get isChunked(): boolean {
    return this.#state === 'chunk-size'
  }

  /** Whether the connection of an answer that is through may be used again. */
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

  /** The connection has ended. */
  end(): void {
    if (this.#state === 'until-close') this.#state = 'done'
    if (this.#state !== 'done') throw new Error('its answer broke off')
  }

  #hold(data: Buffer, from: number): void {
    this.#held = Buffer.from(data.subarray(from))
    if (this.#held.length > (this.#state === 'chunk-size' ? maxLineBytes : maxHeadBytes))
      throw new Error('its answer has too long a head')
  }

  /** Takes what it can from there on; gives where the rest begins, or undefined when the end of a part has not come. */
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
        // Nobody asked for what comes behind an answer.
        this.#keepsAlive = false
        return data.length
    }
  }

  #takeHead(data: Buffer, at: number): number | undefined {
    const end = data.indexOf('\r\n\r\n', at, 'latin1')
    if (end === -1) return undefined
    if (end - at > maxHeadBytes) throw new Error('its answer has too long a head')
    const [statusLine = '', ...lines] = data.toString('latin1', at, end).split('\r\n')
    const [, minor, code, reason = ''] = statusPattern.exec(statusLine) ?? []
    const status = Number(code)
    if (!(status >= 100)) throw new Error('its answer is none of HTTP/1')
    const head = { status, reason, headers: parseHeaders(lines) }
    if (status === 101) throw new Error('it switched to a protocol that nobody asked for')
    if (status < 200) {
      this.#handlers.onInformation(head)
      return end + 4
    }
    const framing = framingOf(head, minor === '1', this.#noBody)
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
    if (size === undefined) throw new Error('its answer has a chunk of no size')
    this.#left = Number.parseInt(size, 16)
    this.#state = this.#left === 0 ? 'trailers' : 'chunk'
    return end + 2
  }

  #takeChunkEnd(data: Buffer, at: number): number | undefined {
    if (data.length - at < 2) return undefined
    if (data[at] !== 13 || data[at + 1] !== 10) throw new Error('its answer has a chunk of another size than it says')
    this.#state = 'chunk-size'
    return at + 2
  }

  #takeTrailers(data: Buffer, at: number): number | undefined {
    // The empty line is behind the last chunk's own when there are none.
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

/** As much as common servers send at most, cookies included. */
const maxHeadBytes = 64 * 1024
/** The size of a chunk, and what may stand behind it. */
const maxLineBytes = 1024

function parseHeaders(lines: string[]): string[] {
  const headers: string[] = []
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0))
    const value = withoutSpace(line, colon + 1)
    if (!namePattern.test(name) || !valuePattern.test(value)) throw new Error('its answer has a header that is none')
    headers.push(name.toLowerCase(), value)
  }
  return headers
}

/** The rest of a line without the spaces and tabs around it. Nothing else is space here, as other readers may keep it. */
function withoutSpace(line: string, from: number): string {
  let [start, end] = [from, line.length]
  while (start < end && isSpace(line.charCodeAt(start))) start++
  while (end > start && isSpace(line.charCodeAt(end - 1))) end--
  return line.slice(start, end)
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9
}

/** RFC 9112, 6.3, without what it leaves to the reader. */
function framingOf({ status, headers }: AnswerHead, isCurrent: boolean, noBody: boolean): Framing {
  let length: string | undefined
  let coding: string | undefined
  let connection = ''
  for (let i = 0; i < headers.length; i += 2) {
    const value = headers[i + 1]!
    if (headers[i] === 'content-length') {
      if (length !== undefined || !/^\d{1,15}$/.test(value)) throw new Error('its answer has a length that is none')
      length = value
    } else if (headers[i] === 'transfer-encoding') coding = coding === undefined ? value : `${coding}, ${value}`
    else if (headers[i] === 'connection') connection += `,${value.toLowerCase()}`
  }
  if (length !== undefined && coding !== undefined) throw new Error('its answer has both a length and chunks')
  const says = (word: string) => connection !== '' && connection.split(/[\s,]+/).includes(word)
  const keepsAlive = isCurrent ? !says('close') : says('keep-alive')
  if (noBody || status === 204 || status === 304) return { state: 'done', length: 0, keepsAlive }
  if (coding !== undefined && /(^|[\s,])chunked$/i.test(coding)) return { state: 'chunk-size', length: 0, keepsAlive }
  if (length !== undefined)
    return Number(length) === 0
      ? { state: 'done', length: 0, keepsAlive }
      : { state: 'length', length: Number(length), keepsAlive }
  return { state: 'until-close', length: 0, keepsAlive: false }
}
