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

/** What a request weighs while it is handled. */
interface Burden {
  bytes: number
  /** No longer counts its memory. */
  release: (() => void) | undefined
}

/** One client's WebSocket: requests that are handled side by side, and what belongs to them. */
export class Connection {
  readonly #options: Options
  readonly #sendQueue: SendQueue
  readonly #closed = new AbortController()
  readonly #open = new Set<Burden>()
  /** Of requests that are not answered yet; a number and its digits are two. */
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
    socket.reportFault = (_, code) => this.#sayWhy(code)
    socket.on('message', (data: Buffer, binary: boolean) => void this.#receive(data, binary))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed.abort()
      this.#ports.close()
    })
  }

  /** Of a sandbox that is named, what happens there is worth telling. */
  #use(sessionId: unknown): void {
    if (typeof sessionId === 'string')
      this.#ports.use(sessionId).catch((error: unknown) => {
        this.#options.engine.log.warn({ err: error }, 'cannot suggest previews for open ports')
      })
  }

  /** Nobody waits for it: a client that is far behind gets none. */
  #suggest(suggestion: Suggestion): void {
    if (this.#sendQueue.waiting < limits.socketRequests)
      void this.#sendQueue.send(() => envelope('suggestion', undefined, suggestion))
  }

  async #receive(data: Buffer, binary: boolean): Promise<void> {
    const burden: Burden = { bytes: data.length, release: this.#options.socket.takeMemory(data.length) }
    this.#open.add(burden)
    this.#pace()
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
      await this.#handle(request, burden, isLarge)
    } catch (error) {
      await this.#refuse(request.id, error)
    } finally {
      burden.release?.()
      this.#open.delete(burden)
      if (request.id !== undefined) this.#ids.delete(request.id)
      this.#pace()
    }
  }

  #parseLarge(data: Buffer, binary: boolean): Promise<unknown> {
    if (binary) throw unreadable('messages are JSON as text, and this one is binary')
    return parseLargeJson(data, this.#options.who.caller.accountId, 'message')
  }

  /** Nobody could tell the answers of two apart. The refusal has no id of its own: it would be taken for the answer of the first. */
  #claim(id: Request['id']): Request['id'] {
    if (id === undefined) return id
    if (this.#ids.has(id))
      throw new CarrelError(
        'conflict',
        `Cannot take the request: another one with the id ${JSON.stringify(id)} is not answered yet; give each an id of its own`,
        { details: { field: 'id', id } },
      )
    this.#ids.add(id)
    return id
  }

  async #handle({ type, id, fields }: Request, burden: Burden, isLarge: boolean): Promise<void> {
    const { message, rest } = this.#find(type, fields)
    const answer = await message.run(this.#call(id, rest, burden, isLarge))
    this.#use(rest.sessionId ?? '')
    if (answer === undefined) return
    const answerType = message.answer ?? `${type}_result`
    if (typeof answer === 'function') return this.#sendLarge(answerType, id, answer)
    if (answer instanceof LargeResponse)
      return this.#sendLarge(answerType, id, async () => answer).finally(() => answer.destroy())
    await this.#sendQueue.send(() => envelope(answerType, id, answer))
  }

  /** Made when it can go out, and as fast as it does. */
  #sendLarge(type: string, id: Request['id'], make: () => Promise<Fields | string | LargeResponse>): Promise<void> {
    return this.#sendQueue.sendParts(async () => {
      const data = await make()
      return data instanceof LargeResponse ? around(headOf(type, id), data) : envelope(type, id, data)
    })
  }

  /** By its type, and by the `action` where there are several. */
  #find(type: string, fields: Fields): { message: Message; rest: Fields } {
    const candidates = this.#options.messages.of(type)
    const [first] = candidates
    if (!first) {
      throw new CarrelError(
        'invalid_request',
        `Cannot use message type ${JSON.stringify(type.slice(0, 64))}: there is none; send {"type":"help"} for all`,
        { details: { field: 'type', types: this.#options.messages.types } },
      )
    }
    if (first.action === undefined) return { message: first, rest: fields }
    const { action, ...rest } = fields
    const message = candidates.find((candidate) => candidate.action === action)
    if (message) return { message, rest }
    const actions = candidates.map((candidate) => candidate.action)
    throw new CarrelError('invalid_request', `Cannot use field "action": it has to be one of ${actions.join(', ')}`, {
      details: { field: 'action', actions },
    })
  }

  #call(id: Request['id'], fields: Fields, burden: Burden, isLarge: boolean): Call {
    const { engine, who } = this.#options
    return {
      engine,
      caller: who.caller,
      token: who.token,
      fields,
      largeBytes: isLarge ? burden.bytes : undefined,
      closed: this.#closed.signal,
      attached: this.#attached,
      inputs: this.#inputs,
      readBytes: this.#options.socket.readBytes,
      send: (type, make) => this.#sendQueue.send(() => envelope(type, id, typeof make === 'function' ? make() : make)),
      watch: (sessionId, computer) => this.#ports.watch(sessionId, computer),
      begun: () => {
        burden.bytes = 0
        burden.release?.()
        this.#pace()
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

  /** Before the connection is closed for what its client sent. */
  #sayWhy(code: number): void {
    const error =
      code === 1009
        ? new CarrelError('too_large', `Cannot read the message: it is larger than ${limits.jsonBodyBytes} bytes`, {
            details: { maxBytes: limits.jsonBodyBytes },
          })
        : new CarrelError(
            'invalid_request',
            'Cannot read the message: it is not UTF-8, or breaks the WebSocket protocol',
          )
    if (!this.#sendQueue.isMidMessage)
      this.#options.socket.send(envelope('error', undefined, errorBody(error, randomUUID())))
  }

  /** A client that sends more than is handled, or than it reads answers of, is read no further until it is. */
  #pace(): void {
    const { socket } = this.#options
    let bytes = 0
    for (const burden of this.#open) bytes += burden.bytes
    socket.hold('burden', bytes > maxOpenBytes || this.#sendQueue.waiting > limits.socketRequests * 2)
  }
}

/** `data` as an object, or as JSON that is one already. */
function envelope(type: string, id: Request['id'], data: Fields | string): string {
  return `${headOf(type, id)}${typeof data === 'string' ? data : JSON.stringify(data)}}`
}

/** A message up to its data. */
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
  throw unreadable('it is no JSON object')
}

function unreadable(why: string): CarrelError {
  return new CarrelError('invalid_request', `Cannot read the message: ${why}`)
}

function idOf({ id }: Fields): Request['id'] {
  if (id === undefined || id === null) return undefined
  if (typeof id === 'number' || (typeof id === 'string' && id.length <= maxIdLength)) return id
  throw new CarrelError(
    'invalid_request',
    `Cannot use field "id": it has to be a number or a string of at most ${maxIdLength} characters`,
    { details: { field: 'id' } },
  )
}

/** Fields stand beside the type, or under `data`. */
function requestOf(parsed: Fields, id: Request['id']): Request {
  const { type, id: _, data, ...flat } = parsed
  sharePieces(parsed, flat)
  const refuse = (field: string, why: string) =>
    new CarrelError('invalid_request', `Cannot use field "${field}": ${why}`, { details: { field } })
  if (typeof type !== 'string') throw refuse('type', 'it has to be the name of a message; send {"type":"help"} for all')
  if (data === undefined) return { type, id, fields: flat }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw refuse('data', 'it has to be an object')
  const [extra] = Object.keys(flat)
  if (extra !== undefined) throw refuse(extra, 'it has to stand in "data", as the other fields do')
  return { type, id, fields: data as Fields }
}

const maxIdLength = 128
/** One message of the greatest size, and some. */
const maxOpenBytes = limits.jsonBodyBytes
