import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { WebSocket } from 'ws'
import type { AgentComputers } from './agent-computer.ts'
import type { TestClient } from './test-client.ts'

export interface PageAnswer {
  status: number
  headers: IncomingHttpHeaders
  bytes: Buffer
  /** The parsed body when it is JSON. */
  body: any // oxlint-disable-line typescript/no-explicit-any -- tests look into answers of every shape
}

interface Sent {
  headers?: Record<string, string>
  body?: unknown
}

/** A visitor of the page of a computer, who sends requests as a browser does. */
export class PageVisitor {
  /** The origin of the page. */
  readonly origin: string
  readonly #server: Pick<TestClient, 'url'>
  cookie: string

  constructor(server: Pick<TestClient, 'url'>, origin: string, cookie = '') {
    this.#server = server
    this.origin = origin
    this.cookie = cookie
  }

  /** Creates an access session, and comes in by its link. */
  static async enter(
    server: Pick<TestClient, 'url'>,
    computers: AgentComputers,
    computerId: string,
    kind: 'browser' | 'vnc' = 'browser',
  ) {
    const { body } = await computers.call('POST', `/computers/${computerId}/access-sessions`, { kind })
    return { visitor: await PageVisitor.come(server, body.session.access_url), session: body.session }
  }

  /** Comes in by a link with a token. */
  static async come(server: Pick<TestClient, 'url'>, link: string): Promise<PageVisitor> {
    const { origin, pathname, search } = new URL(link)
    const visitor = new PageVisitor(server, origin)
    const { headers } = await visitor.send('GET', `${pathname}${search}`)
    visitor.cookie = String(headers['set-cookie']).split(';')[0]!
    return visitor
  }

  /** Sends a request with the cookie, and what a browser adds to a request of the page itself. */
  send(method: string, path: string, { headers = {}, body }: Sent = {}): Promise<PageAnswer> {
    const { hostname, port } = new URL(this.#server.url)
    const isRaw = body === undefined || body instanceof Uint8Array
    const own = {
      host: new URL(this.origin).host,
      ...(this.cookie ? { cookie: this.cookie } : {}),
      ...(method === 'GET' ? {} : { origin: this.origin }),
      ...(isRaw ? {} : { 'content-type': 'application/json' }),
      ...headers,
    }
    return new Promise((resolve, reject) => {
      const request = httpRequest({ hostname, port, path, method, headers: own }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const bytes = Buffer.concat(chunks)
          const isJson = response.headers['content-type']?.includes('json') && bytes.length > 0
          const { statusCode: status = 0, headers: answered } = response
          resolve({ status, headers: answered, bytes, body: isJson ? JSON.parse(bytes.toString()) : undefined })
        })
      })
      request.on('error', reject)
      request.end(isRaw ? body : JSON.stringify(body))
    })
  }

  /** Opens a WebSocket of the page. */
  socket(path: string, headers: Record<string, string> = {}): WebSocket {
    const own = { host: new URL(this.origin).host, cookie: this.cookie, origin: this.origin, ...headers }
    return new WebSocket(`${this.#server.url.replace('http', 'ws')}${path}`, { headers: own })
  }
}
