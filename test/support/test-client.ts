import { request as httpRequest } from 'node:http'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import { createToken } from '../../src/engine/identity/accounts/tokens.ts'
import { withDatabase } from './with-database.ts'

export interface Answer {
  status: number
  headers: Headers
  /** The parsed body when it is JSON, else its text. */
  body: any // oxlint-disable-line typescript/no-explicit-any -- tests look into answers of every shape
}

export interface CallOptions {
  /** Default: the owner's token; null for none. */
  token?: string | null
  headers?: Record<string, string>
}

/** A client of a server, which runs in its own process or in memory. */
export class TestClient {
  readonly url: string
  /** The owner's. */
  readonly token: string
  /** Returns what the server has logged so far. */
  readonly log: () => string

  constructor({ url, token, log }: Pick<TestClient, 'url' | 'token' | 'log'>) {
    this.url = url
    this.token = token
    this.log = log
  }

  async call(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    const token = options.token === undefined ? this.token : options.token
    const headers: Record<string, string> = {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...options.headers,
    }
    if (body !== undefined) headers['content-type'] ??= 'application/json'
    const isRaw = typeof body === 'string' || body instanceof Uint8Array || body instanceof FormData
    if (body instanceof FormData) delete headers['content-type']
    const response = await fetch(this.url + path, {
      method,
      headers,
      body: body === undefined ? undefined : isRaw ? (body as string) : JSON.stringify(body),
    })
    const text = await response.text()
    // The server names the cause of a fault only in its log.
    if (response.status === 500) console.error(this.log().slice(-4000))
    const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }

  post(path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    return this.call('POST', path, body ?? {}, options)
  }

  /** The body of an answer that has to be 200. */
  async done(path: string, body: Record<string, unknown>): Promise<Answer['body']> {
    const answer = await this.post(path, body)
    if (answer.status === 200) return answer.body
    throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(answer.body).slice(0, 500)}`)
  }

  /** Runs shell code to its end and gives the answer's `result`. */
  async shell(code: string, extra: Record<string, unknown> = {}): Promise<Answer['body']> {
    return (await this.done('/execute', { code, language: 'shell', ...extra })).result
  }

  /** A second tenant: the token of a new account. */
  newAccount(name = 'other'): Promise<string> {
    return withDatabase(async (db) => createToken(db, await createAccount(db, name), 'test'))
  }

  /** A request to a preview by its Host header, since `*.localhost` does not resolve everywhere. */
  preview(
    previewUrl: string,
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: Buffer } = {},
  ): Promise<{ status: number; headers: Record<string, string | string[] | undefined>; body: Buffer }> {
    const { host } = new URL(previewUrl)
    const { hostname, port } = new URL(this.url)
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        { hostname, port, path, method: options.method ?? 'GET', headers: { ...options.headers, host } },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () =>
            resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
          )
          response.on('error', reject)
        },
      )
      request.on('error', reject)
      request.end(options.body)
    })
  }
}
