import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify'
import { limits } from '../config/limits.ts'
import type { MemoryBudget, Release } from '../engine/budgets/memory-budget.ts'
import { asCarrelError, CarrelError } from '../errors.ts'
import { nestsDeeper } from '../json/json-depth.ts'
import { JsonError, parseJson } from '../json/parse-json.ts'
import { Slices } from '../slices.ts'
import { checkUnicode } from './check-unicode.ts'
import { innerCalls } from './inner-call.ts'
import { holdUntilAnswered } from './large-response.ts'

/**
 * Content types under which JSON arrives: what `curl -d` sends, and what browsers and many clients send for a text. A
 * request without a content type is read as JSON too. See docs/SECURITY-MODEL.md for why this is safe.
 */
export const jsonTypes = ['application/json', 'application/x-www-form-urlencoded', 'text/plain'] as const

/**
 * Parses JSON bodies as Fastify does, which refuses keys that could reach a prototype, but reports what is wrong. On a
 * route without fields, or with only optional ones, a missing body counts as an empty object. A large body is admitted
 * when there is memory for it, and parsed in slices.
 */
export function readJsonBodies(app: FastifyInstance, memory: MemoryBudget): void {
  const parseSmall = smallJsonParser(app)
  const read = async (request: FastifyRequest, payload: NodeJS.ReadableStream) => {
    const inner = innerCalls.getStore()?.body
    if (inner) {
      if (inner.bytes > request.routeOptions.bodyLimit) throw new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE()
      return inner.fields
    }
    const bytes = await new Body(request, payload, memory).read()
    if (bytes.length > limits.wholeJsonBytes) return parseLargeJson(bytes, accountOf(request), 'request')
    return parseSmall(request, bytes)
  }
  for (const type of jsonTypes) app.addContentTypeParser(type, read)
  // Fastify looks up a missing content type as one whose type and subtype are empty.
  app.addContentTypeParser(/^\/?$/, read)
  app.addHook('preValidation', async (request) => {
    if (request.body === undefined && hasOnlyOptionalFields(request)) request.body = {}
  })
}

/** Returns a function that parses the JSON of a body in one go. Its promise rejects with `invalid_request`. */
export function smallJsonParser(app: Pick<FastifyInstance, 'getDefaultJsonParser'>) {
  const parse = app.getDefaultJsonParser('error', 'error')
  return (request: FastifyRequest, bytes: Buffer): Promise<unknown> =>
    new Promise<unknown>((resolve, reject) => {
      assertDepth(bytes, 'request')
      const body = bytes.toString('utf8')
      void parse(request, body, (error, value) => {
        if (body === '' && (hasOnlyOptionalFields(request) || !request.routeOptions.schema?.body)) return resolve({})
        if (error) return reject(body === '' ? error : refusal(body, request))
        try {
          checkUnicode(value, body)
        } catch (refused) {
          return reject(asCarrelError(refused))
        }
        resolve(value)
      })
    })
}

/** Parses JSON in slices. Throws `invalid_request`, which names what was read: a `request` or a `message`. */
export async function parseLargeJson(bytes: Buffer, accountId: string, what: 'request' | 'message'): Promise<unknown> {
  try {
    const slices = new Slices(accountId)
    // Otherwise, many bodies that arrive at once would each get their first slice immediately.
    await slices.next()
    return (await parseJson(bytes, bounds, slices)).value
  } catch (error) {
    throw error instanceof JsonError ? refusalOf(error, what) : error
  }
}

/** Throws `invalid_request` when short JSON nests too deep, before it is parsed. */
export function assertDepth(bytes: Buffer, what: 'request' | 'message'): void {
  if (!nestsDeeper(bytes, bounds.depth)) return
  throw refusalOf(new JsonError('bounds', `it nests more than ${bounds.depth} deep`), what)
}

function refusalOf(error: JsonError, what: 'request' | 'message'): CarrelError {
  const { kind, field, message } = error
  if (kind === 'unicode')
    return new CarrelError('invalid_request', `Cannot use field "${field || 'body'}": ${message}`, {
      details: { field: field || 'body' },
      cause: error,
    })
  const its = what === 'request' ? 'its body' : 'it'
  const why = {
    syntax: `is not valid JSON: ${message}`,
    prototype: message.replace(/^it /, '') + ', which is not allowed',
    bounds: message.replace(/^it /, ''),
  }[kind]
  return new CarrelError('invalid_request', `Cannot read the ${what}: ${its} ${why}`, {
    details: { field: 'body' },
    cause: error,
  })
}

const bounds = {
  values: limits.bodyValues,
  depth: limits.bodyDepth,
  keys: limits.jsonKeys,
  keyLength: limits.jsonKeyLength,
}

function accountOf({ caller }: FastifyRequest): string {
  return (caller as FastifyRequest['caller'] | undefined)?.accountId ?? ''
}

/** Reads the bytes of one body. */
class Body {
  readonly #request: FastifyRequest
  readonly #payload: NodeJS.ReadableStream
  readonly #memory: MemoryBudget
  readonly #limit: number
  readonly #chunks: Buffer[] = []
  /** The buffer of a large body: each part is copied into it as it arrives. */
  #whole: Buffer | undefined
  #bytes = 0
  #isReserved = false

  constructor(request: FastifyRequest, payload: NodeJS.ReadableStream, memory: MemoryBudget) {
    this.#request = request
    this.#payload = payload
    this.#memory = memory
    this.#limit = request.routeOptions.bodyLimit
  }

  async read(): Promise<Buffer> {
    const length = Number(this.#request.headers['content-length'])
    if (length > this.#limit) throw new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE()
    if (length > limits.wholeBodyBytes) await this.#reserve(length)
    // If the client has disconnected meanwhile, no event would end the reading.
    if (this.#request.raw.destroyed) throw Object.assign(new Error('the client is gone'), { statusCode: 400 })
    await this.#readAll()
    if (!Number.isNaN(length) && this.#bytes !== length) throw new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH()
    return this.#whole?.subarray(0, this.#bytes) ?? this.#joined()
  }

  #joined(): Buffer {
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#bytes)
  }

  /** Reserves memory for the bytes, their text, and the value that a handler gets. */
  async #reserve(bytes: number): Promise<void> {
    this.#isReserved = true
    const release: Release = await this.#memory.reserve(accountOf(this.#request), bytes * 3)
    holdUntilAnswered(this.#request, release)
    // Pages that are never written take no memory: a buffer of the maximum size costs only what arrives.
    this.#whole = Buffer.allocUnsafeSlow(bytes)
    let at = 0
    for (const chunk of this.#chunks.splice(0)) at += chunk.copy(this.#whole, at)
  }

  #readAll(): Promise<void> {
    const payload = this.#payload
    return new Promise((resolve, reject) => {
      const end = (error?: Error & { statusCode?: number }) => {
        payload.removeListener('data', take).removeListener('end', end).removeListener('error', end)
        if (!error) return resolve()
        error.statusCode ??= 400
        reject(error)
      }
      const take = (chunk: Buffer) => {
        if (this.#bytes + chunk.length > this.#limit) return end(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
        if (this.#whole) chunk.copy(this.#whole, this.#bytes)
        else this.#chunks.push(chunk)
        this.#bytes += chunk.length
        if (this.#bytes <= limits.wholeBodyBytes || this.#isReserved) return
        // A body of unknown length may have the maximum size.
        payload.pause()
        this.#reserve(this.#limit).then(() => payload.resume(), end)
      }
      payload.on('data', take).on('end', end).on('error', end)
      payload.resume()
    })
  }
}

function hasOnlyOptionalFields({ routeOptions }: FastifyRequest): boolean {
  const body = routeOptions.schema?.body as { properties?: object; required?: string[] } | undefined
  return body?.properties !== undefined && !body.required?.length
}

function refusal(body: string, request: FastifyRequest): CarrelError {
  let cause: unknown
  try {
    JSON.parse(body)
  } catch (error) {
    cause = error
  }
  return new CarrelError('invalid_request', `Cannot read the request: its body ${whyRefused(body, cause, request)}`, {
    details: { field: 'body' },
    cause,
  })
}

function whyRefused(body: string, cause: unknown, request: FastifyRequest): string {
  if (!cause) return 'has a key "__proto__" or "constructor" with a "prototype" in it, which is not allowed'
  const isForm = request.headers['content-type']?.toLowerCase().startsWith('application/x-www-form-urlencoded')
  if (isForm && !/^\s*[{[]/.test(body)) return `is a form, but the route takes JSON${exampleOf(request)}`
  return `is not valid JSON${placeIn(cause)}`
}

/** Returns the documented example of a route's body, if it is short. */
function exampleOf({ routeOptions }: FastifyRequest): string {
  const { schema, config } = routeOptions
  const example = schema?.body && config.documentation?.example
  const text = example ? JSON.stringify(example) : ''
  return text === '' || text.length > maxExampleLength ? '' : `, such as ${text}`
}

const maxExampleLength = 200

/** Returns where the parser stopped, as far as its error says. */
function placeIn(error: unknown): string {
  const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(String(error)) ?? []
  return line ? `: syntax error at line ${line}, column ${column}` : ''
}
