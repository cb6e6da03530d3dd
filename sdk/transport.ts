import { Deadline } from './deadline.ts'
import { delay } from './delay.ts'
import { CarrelApiError, CarrelConnectionError, CarrelTimeoutError } from './errors.ts'
import { isInProgress, retryDelayMs } from './retry.ts'
import type { RetryPolicy } from './retry.ts'

export interface TransportOptions {
  /** The address of the server; its path is kept as a prefix. */
  baseUrl: string
  token?: string | undefined
  /** Time limit of requests that set none themselves. */
  timeoutMs: number
  /** Attempts after the first. */
  maxRetries: number
  userAgent: string
  fetch: typeof globalThis.fetch
}

export interface TransportRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  path: string
  query?: Record<string, string | undefined>
  /** Sent as JSON; undefined fields are left out. */
  json?: Record<string, unknown>
  /** Sent as it is read, once. */
  stream?: { body: ReadableStream<Uint8Array>; contentType: string }
  headers?: Record<string, string>
  /** Ensures that a repeated POST has its effect only once. */
  idempotencyKey?: string
  retry: RetryPolicy
  signal?: AbortSignal | undefined
  /** Time limit of the request, including all attempts. `Infinity` for no limit. */
  timeoutMs?: number | undefined
}

/** HTTP to one server with one token: time limits, retries, and errors as `CarrelApiError`. */
export class Transport {
  readonly baseUrl: string
  readonly #options: TransportOptions

  constructor(options: TransportOptions) {
    this.#options = options
    this.baseUrl = checkBaseUrl(options.baseUrl)
  }

  /** The headers that identify the client. */
  get identity(): Record<string, string> {
    const { token, userAgent } = this.#options
    return { 'user-agent': userAgent, ...(token ? { authorization: `Bearer ${token}` } : {}) }
  }

  url(path: string, query: TransportRequest['query'] = {}): string {
    const pairs = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined)
    const search = new URLSearchParams(pairs).toString()
    return this.baseUrl + path + (search && `?${search}`)
  }

  /** Returns the JSON of the answer. The time limit spans all attempts and the reading of the answer. */
  async json<T>(request: TransportRequest): Promise<T> {
    const deadline = new Deadline(request.signal, this.#limitMs(request))
    try {
      return await this.#send(request, deadline.signal, async (response) =>
        parseAnswer(await response.text(), response),
      )
    } finally {
      deadline.clear()
    }
  }

  /**
   * Returns the answer with its body unread. The time limit ends when the headers arrive; the caller's signal ends the
   * body too.
   */
  async open(request: TransportRequest): Promise<Response> {
    const deadline = new Deadline(request.signal, this.#limitMs(request))
    try {
      return await this.#send(request, deadline.signal, async (response) => response)
    } finally {
      deadline.clear()
    }
  }

  #limitMs({ timeoutMs = this.#options.timeoutMs }: TransportRequest): number | undefined {
    return timeoutMs === Infinity ? undefined : timeoutMs
  }

  async #send<T>(request: TransportRequest, signal: AbortSignal, read: (response: Response) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#attempt(request, signal, read)
      } catch (error) {
        if (signal.aborted) throw signal.reason
        const delayMs = retryDelayMs(error, attempt, request.retry)
        if (delayMs === undefined || (attempt >= this.#options.maxRetries && !isInProgress(error))) throw error
        await delay(delayMs, signal)
      }
    }
  }

  async #attempt<T>(
    request: TransportRequest,
    signal: AbortSignal,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    try {
      const response = await this.#options.fetch(this.url(request.path, request.query), this.#init(request, signal))
      if (!response.ok) throw await failure(response)
      return await read(response)
    } catch (error) {
      if (error instanceof CarrelApiError || error instanceof CarrelConnectionError) throw error
      if (error instanceof CarrelTimeoutError || signal.aborted) throw error
      throw CarrelConnectionError.from(this.baseUrl, error)
    }
  }

  #init({ method, json, stream, headers, idempotencyKey }: TransportRequest, signal: AbortSignal): RequestInit {
    return {
      method,
      signal,
      // A redirected POST would become a GET, and the token would go to an address that the caller did not choose.
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        ...this.identity,
        ...(json ? { 'content-type': 'application/json' } : {}),
        ...(stream ? { 'content-type': stream.contentType } : {}),
        ...(idempotencyKey ? { 'idempotency-key': idempotencyKey } : {}),
        ...headers,
      },
      ...(json ? { body: JSON.stringify(json) } : {}),
      ...(stream ? { body: stream.body, duplex: 'half' as const } : {}),
    }
  }
}

async function failure(response: Response): Promise<CarrelApiError> {
  const location = response.headers.get('location')
  if (location) {
    void response.body?.cancel()
    return new CarrelApiError(response.status, {
      error: `The server redirects to "${location}": use that address`,
      code: 'REDIRECTED',
    })
  }
  const text = await response.text().catch(() => '')
  return new CarrelApiError(response.status, tryJson(text), response.headers)
}

function parseAnswer<T>(text: string, response: Response): T {
  const answer = tryJson(text)
  if (answer !== undefined) return answer as T
  throw new CarrelApiError(response.status, {
    error: `"${response.url}" did not answer with JSON: is it a Carrel server?`,
    code: 'NOT_CARREL',
  })
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function checkBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new TypeError(`Cannot use "${text}" as the server's address: it has to begin with http:// or https://`)
  }
  return url.origin + url.pathname.replace(/\/+$/, '')
}
