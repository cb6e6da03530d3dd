import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify'
import { limits } from '../config/limits.ts'
import type { MemoryBudget, Release } from '../engine/budgets/memory-budget.ts'
import { asCarrelError, CarrelError } from '../errors.ts'
import { nestsDeeper } from '../json/json-depth.ts'
import { JsonError, parseJson } from '../json/parse-json.ts'
import { Slices } from '../slices.ts'
import { checkUnicode } from './check-unicode.ts'
import { innerCalls } from './inner-call.ts'
import { holdUntilAnswered } from './large-answer.ts'

/**
 * Reads JSON bodies as Fastify does, which refuses keys that could reach into a prototype, but says what is wrong. Where
 * there are no fields, or every one is optional, no body at all is one without fields. A large one is let in when there is memory for it, and read
 * in slices.
 */
export function readJsonBodies(app: FastifyInstance, memory: MemoryBudget): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  const parseSmall = (request: FastifyRequest, body: string) =>
    new Promise<unknown>((resolve, reject) => {
      void parse(request, body, (error, value) => {
        if (body === '' && (takesNothing(request) || !request.routeOptions.schema?.body)) return resolve({})
        if (error) return reject(body === '' ? error : refusal(body))
        try {
          checkUnicode(value, body)
        } catch (refused) {
          return reject(asCarrelError(refused))
        }
        resolve(value)
      })
    })
  app.addContentTypeParser('application/json', async (request: FastifyRequest, payload: NodeJS.ReadableStream) => {
    const given = innerCalls.getStore()?.body
    if (given) {
      if (given.bytes > request.routeOptions.bodyLimit) throw new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE()
      return given.fields
    }
    const bytes = await new Body(request, payload, memory).read()
    if (bytes.length > limits.wholeJsonBytes) return parseLargeJson(bytes, accountOf(request), 'request')
    assertDepth(bytes, 'request')
    return parseSmall(request, bytes.toString('utf8'))
  })
  app.addHook('preValidation', async (request) => {
    if (request.body === undefined && takesNothing(request)) request.body = {}
  })
}

/** In slices. What is refused is told of by what it is, `request` or `message`. */
export async function parseLargeJson(bytes: Buffer, accountId: string, what: 'request' | 'message'): Promise<unknown> {
  try {
    const slices = new Slices(accountId)
    // Of many that come at once each would have its first slice at once.
    await slices.next()
    return (await parseJson(bytes, bounds, slices)).value
  } catch (error) {
    throw error instanceof JsonError ? refusalOf(error, what) : error
  }
}

/** Refuses short JSON that nests too deep, before anything is made of it. */
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
    prototype: message.replace(/^it /, '') + ', which is taken nowhere',
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

/** The bytes of one body, on their way in. */
class Body {
  readonly #request: FastifyRequest
  readonly #payload: NodeJS.ReadableStream
  readonly #memory: MemoryBudget
  readonly #limit: number
  readonly #chunks: Buffer[] = []
  /** Of a large one: each part is put in its place as it comes. */
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
    // Its client may have left meanwhile: then nothing tells of an end.
    if (this.#request.raw.destroyed) throw Object.assign(new Error('the client is gone'), { statusCode: 400 })
    await this.#readAll()
    if (!Number.isNaN(length) && this.#bytes !== length) throw new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH()
    return this.#whole?.subarray(0, this.#bytes) ?? this.#joined()
  }

  #joined(): Buffer {
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#bytes)
  }

  /** For the bytes, the text of them, and what a handler makes of that. */
  async #reserve(bytes: number): Promise<void> {
    this.#isReserved = true
    const release: Release = await this.#memory.reserve(accountOf(this.#request), bytes * 3)
    holdUntilAnswered(this.#request, release)
    // What nothing is written to takes no memory: a place for the greatest costs as much as what comes.
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
        // One that does not say its length may have the greatest.
        payload.pause()
        this.#reserve(this.#limit).then(() => payload.resume(), end)
      }
      payload.on('data', take).on('end', end).on('error', end)
      payload.resume()
    })
  }
}

function takesNothing({ routeOptions }: FastifyRequest): boolean {
  const body = routeOptions.schema?.body as { properties?: object; required?: string[] } | undefined
  return body?.properties !== undefined && !body.required?.length
}

function refusal(body: string): CarrelError {
  let cause: unknown
  try {
    JSON.parse(body)
  } catch (error) {
    cause = error
  }
  const why = cause
    ? `is not valid JSON${placeIn(cause)}`
    : 'has a key "__proto__" or "constructor" with a "prototype" in it, which is taken nowhere'
  return new CarrelError('invalid_request', `Cannot read the request: its body ${why}`, {
    details: { field: 'body' },
    cause,
  })
}

/** Where the parser stopped, in as far as it tells. */
function placeIn(error: unknown): string {
  const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(String(error)) ?? []
  return line ? `: something is wrong at line ${line}, column ${column}` : ''
}
