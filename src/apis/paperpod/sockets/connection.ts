import { randomUUID } from 'node:crypto'
import { limits } from '../../../config/limits.ts'
import type { Engine } from '../../../engine/engine.ts'
import { asCarrelError, CarrelError } from '../../../errors.ts'
import { checkUnicode } from '../../../http/check-unicode.ts'
import { assertDepth, parseLargeJson } from '../../../http/json-body.ts'
import { LargeResponse } from '../../../http/large-response.ts'
import { logFailure } from '../../../http/log-failure.ts'
import type { ClientSocket } from '../../../http/sockets/client-socket.ts'
import { SendQueue } from '../../../http/sockets/send-queue.ts'
import type { SocketCaller } from '../../../http/sockets/socket-endpoint.ts'
import { sharePieces } from '../../../json/text-pieces.ts'
import { KeyedLock } from '../../../keyed-lock.ts'
import { errorBody } from '../errors.ts'
import type { Call, Fields, Message } from './message.ts'
import type { Messages } from './messages.ts'
import { PortSuggestions } from './port-suggestions.ts'
import { RouteRefusal } from './route-message.ts'
import type { Suggestion } from './suggestions.ts'
import { nearestOf } from '../../../suggestion.ts'

interface Options {
  engine: Engine
  messages: Messages
  socket: ClientSocket
  who: SocketCaller
}

interface Request {
  type: string
  id: string | number | undefined
  fields: Fields
}

/** The memory that a request takes while it is handled. */
interface RequestLoad {
  bytes: number
  /** Stops counting the memory of the message. */
  release: (() => void) | undefined
}

/** One client's WebSocket: its concurrent requests, and their state. */
export class Connection {
  readonly #options: Options
  readonly #sendQueue: SendQueue
  readonly #closed = new AbortController()
  readonly #open = new Set<RequestLoad>()
  /** The ids of unanswered requests; the number 1 and the string "1" are different ids. */
  readonly #ids = new Set<string | number>()
  readonly #attached = new Map<string, AbortController>()
  readonly #inputs = new KeyedLock()
  readonly #ports: PortSuggestions

  constructor(options: Options) {
    this.#options = options
    const { socket, engine, who } = options
    this.#sendQueue = new SendQueue(socket)
    this.#ports = new PortSuggestions({
      engine,
      caller: who.caller,
      suggest: (suggestion) => this.#suggest(suggestion),
    })
    this.#use('')
    socket.reportFault = (_, code) => this.#reportFault(code)
    socket.on('message', (data: Buffer, binary: boolean) => void this.#receive(data, binary))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed.abort()
      this.#ports.close()
    })
  }

  /** Sends suggestions about a sandbox that a message names. */
  #use(sessionId: unknown): void {
    if (typeof sessionId === 'string')
      this.#ports.use(sessionId).catch((error: unknown) => {
        // The message itself is answered by such an error. A client could fill the log with them.
        if (error instanceof CarrelError) return
        this.#options.engine.log.warn({ err: error }, 'cannot suggest previews for open ports')
      })
  }

  /** Sends a suggestion, which no request waits for: a client with many unsent messages gets none. */
  #suggest(suggestion: Suggestion): void {
    if (this.#sendQueue.waiting < limits.socketRequests)
      void this.#sendQueue.send(() => envelope('suggestion', undefined, suggestion))
  }

  async #receive(data: Buffer, binary: boolean): Promise<void> {
    const load: RequestLoad = { bytes: data.length, release: this.#options.socket.takeMemory(data.length) }
    this.#open.add(load)
    this.#applyBackpressure()
    let request: Request = { type: '', id: undefined, fields: {} }
    try {
      const isLarge = data.length > limits.wholeJsonBytes
      const parsed = fieldsOf(isLarge ? await this.#parseLarge(data, binary) : parse(data, binary))
      request = { ...request, id: this.#claim(idOf(parsed)) }
      request = requestOf(parsed, request.id)
      if (!isLarge) checkUnicode(request.fields, data)
      if (this.#open.size > limits.socketRequests)
        throw new CarrelError(
          'limit_reached',
          `Cannot take another request: ${limits.socketRequests} of this connection are not answered yet`,
          { details: { limit: limits.socketRequests } },
        )
      await this.#handle(request, load, isLarge)
    } catch (error) {
      await this.#refuse(request.id, error)
    } finally {
      load.release?.()
      this.#open.delete(load)
      if (request.id !== undefined) this.#ids.delete(request.id)
      this.#applyBackpressure()
    }
  }

  #parseLarge(data: Buffer, binary: boolean): Promise<unknown> {
    if (binary) throw unreadable('messages are JSON as text, and this one is binary')
    return parseLargeJson(data, this.#options.who.caller.accountId, 'message')
  }

  /**
   * Reserves the id of a request. Throws `conflict` if an unanswered request has the same id: the client could not tell
   * the two answers apart. The refusal is sent without the id, since the client would take it for the first request's
   * answer.
   */
  #claim(id: Request['id']): Request['id'] {
    if (id === undefined) return id
    if (this.#ids.has(id))
      throw new CarrelError(
        'conflict',
        `Cannot take the request: another one with the id ${JSON.stringify(id)} is not answered yet; use a unique id for each request`,
        { details: { field: 'id', id } },
      )
    this.#ids.add(id)
    return id
  }

  async #handle({ type, id, fields }: Request, load: RequestLoad, isLarge: boolean): Promise<void> {
    const { message, rest } = this.#find(type, fields)
    const answer = await message.run(this.#call(id, rest, load, isLarge))
    this.#use(rest.sessionId ?? '')
    if (answer === undefined) return
    const answerType = message.answer ?? `${type}_result`
    if (typeof answer === 'function') return this.#sendLarge(answerType, id, answer)
    if (answer instanceof LargeResponse)
      return this.#sendLarge(answerType, id, async () => answer).finally(() => answer.destroy())
    await this.#sendQueue.send(() => envelope(answerType, id, answer))
  }

  /** Sends a large answer, which is generated when the client can take it, and at the client's pace. */
  #sendLarge(type: string, id: Request['id'], make: () => Promise<Fields | string | LargeResponse>): Promise<void> {
    return this.#sendQueue.sendParts(async () => {
      const data = await make()
      return data instanceof LargeResponse ? around(headOf(type, id), data) : envelope(type, id, data)
    })
  }

  /** Finds a message by its type, and by its `action` if several messages have the type. */
  #find(type: string, fields: Fields): { message: Message; rest: Fields } {
    const candidates = this.#options.messages.of(type)
    const [first] = candidates
    if (!first) {
      const { types } = this.#options.messages
      const word = type.slice(0, maxTypeLength)
      const near = nearestOf(word, types)
      throw new CarrelError(
        'invalid_request',
        `Cannot use message type ${JSON.stringify(word)}: there is no such type${near === undefined ? ';' : `; did you mean "${near}"? If not,`} send {"type":"help"} for a list`,
        { details: { field: 'type', types } },
      )
    }
    if (first.action === undefined) return { message: first, rest: fields }
    const { action, ...rest } = fields
    const message = candidates.find((candidate) => candidate.action === action)
    if (message) return { message, rest }
    const actions = candidates.map((candidate) => candidate.action)
    throw new CarrelError('invalid_request', `Cannot use field "action": it must be one of ${actions.join(', ')}`, {
      details: { field: 'action', actions },
    })
  }

  #call(id: Request['id'], fields: Fields, load: RequestLoad, isLarge: boolean): Call {
    const { engine, who } = this.#options
    const send: Call['send'] = (type, make) =>
      this.#sendQueue.send(() => envelope(type, id, typeof make === 'function' ? make() : make))
    const hint: Call['hint'] = (message, category = 'unknown_field') => {
      const suggestion: Suggestion = { message, category }
      void send('suggestion', suggestion).catch(() => {})
    }
    return {
      engine,
      caller: who.caller,
      token: who.token,
      fields,
      largeBytes: isLarge ? load.bytes : undefined,
      closed: this.#closed.signal,
      attached: this.#attached,
      inputs: this.#inputs,
      readBytes: this.#options.socket.readBytes,
      send,
      hint,
      watch: (sessionId, computer) => this.#ports.watch(sessionId, computer),
      releaseMessage: () => {
        load.bytes = 0
        load.release?.()
        this.#applyBackpressure()
      },
    }
  }

  async #refuse(id: Request['id'], error: unknown): Promise<void> {
    const { engine } = this.#options
    const requestId = randomUUID()
    if (error instanceof RouteRefusal) return this.#sendQueue.send(() => envelope('error', id, error.body))
    const known = asCarrelError(error)
    logFailure(engine.log, known, { requestId })
    await this.#sendQueue.send(() => envelope('error', id, errorBody(known, requestId)))
  }

  /** Sends the error for which the connection is about to be closed. */
  #reportFault(code: number): void {
    const error =
      code === 1009
        ? new CarrelError('too_large', `Cannot read the message: it is larger than ${limits.jsonBodyBytes} bytes`, {
            details: { maxBytes: limits.jsonBodyBytes },
          })
        : new CarrelError(
            'invalid_request',
            'Cannot read the message: it is not UTF-8, or violates the WebSocket protocol',
          )
    if (!this.#sendQueue.isMidMessage)
      this.#options.socket.send(envelope('error', undefined, errorBody(error, randomUUID())))
  }

  /** Stops reading from a client that has too many bytes of open requests, or too many unsent answers. */
  #applyBackpressure(): void {
    const { socket } = this.#options
    let bytes = 0
    for (const load of this.#open) bytes += load.bytes
    socket.hold('requests', bytes > maxOpenBytes || this.#sendQueue.waiting > limits.socketRequests * 2)
  }
}

/** Returns a message; `data` is an object, or the JSON of one. */
function envelope(type: string, id: Request['id'], data: Fields | string): string {
  return `${headOf(type, id)}${typeof data === 'string' ? data : JSON.stringify(data)}}`
}

/** Returns the JSON of a message up to its data. */
function headOf(type: string, id: Request['id']): string {
  const head = JSON.stringify(id === undefined ? { type } : { type, id })
  return `${head.slice(0, -1)},"data":`
}

async function* around(head: string, data: LargeResponse): AsyncGenerator<string | Buffer> {
  yield head
  for await (const part of data) yield part as Buffer
  yield '}'
}

function parse(data: Buffer, binary: boolean): unknown {
  if (binary) throw unreadable('messages are JSON as text, and this one is binary')
  assertDepth(data, 'message')
  try {
    return JSON.parse(data.toString('utf8'))
  } catch {
    throw unreadable('it is not valid JSON')
  }
}

function fieldsOf(parsed: unknown): Fields {
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Fields
  throw unreadable('it is not a JSON object')
}

function unreadable(why: string): CarrelError {
  return new CarrelError('invalid_request', `Cannot read the message: ${why}`)
}

function idOf({ id }: Fields): Request['id'] {
  if (id === undefined || id === null) return undefined
  if (typeof id === 'number' || (typeof id === 'string' && id.length <= maxIdLength)) return id
  throw new CarrelError(
    'invalid_request',
    `Cannot use field "id": it must be a number or a string of at most ${maxIdLength} characters`,
    { details: { field: 'id' } },
  )
}

/** Returns the request in a message, whose fields are beside the type or under `data`. */
function requestOf(parsed: Fields, id: Request['id']): Request {
  const { type, id: _, data, ...flat } = parsed
  sharePieces(parsed, flat)
  const refuse = (field: string, why: string) =>
    new CarrelError('invalid_request', `Cannot use field "${field}": ${why}`, { details: { field } })
  if (typeof type !== 'string')
    throw refuse('type', 'it must be the name of a message; send {"type":"help"} for a list')
  if (data === undefined || data === null) return { type, id, fields: flat }
  if (typeof data !== 'object' || Array.isArray(data)) throw refuse('data', 'it must be an object')
  const [extra] = Object.keys(flat)
  if (extra !== undefined) throw refuse(extra, 'it must be in "data", like the other fields')
  return { type, id, fields: data as Fields }
}

const maxIdLength = 128
/** How much of an unknown type is compared and shown. */
const maxTypeLength = 64
/** As much as one message of the max size: further ones wait. */
const maxOpenBytes = limits.jsonBodyBytes
