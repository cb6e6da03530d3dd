import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { TestClient } from '../support/test-client.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into messages of every shape
export type Message = { type: string; id?: string | number; data: any }

interface Options {
  path?: string
  token?: string | null
  headers?: Record<string, string>
}

/** A simple client of `/ws`, as a user would write it: JSON in, JSON out. */
export class SocketClient {
  readonly socket: WebSocket
  readonly received: Message[] = []
  #lastId = 0
  #wake = Promise.withResolvers<void>()

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data: Buffer) => {
      this.received.push(JSON.parse(data.toString()) as Message)
      this.#stir()
    })
    socket.on('close', () => this.#stir())
    socket.on('error', () => {})
  }

  static async open(server: TestClient, options: Options = {}): Promise<SocketClient> {
    const socket = connectSocket(server, options)
    const client = new SocketClient(socket)
    await once(socket, 'open')
    return client
  }

  send(message: Record<string, unknown> | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  /** Sends a message with a new id, and returns the id. */
  begin(message: Record<string, unknown>): number {
    const id = ++this.#lastId
    this.send({ id, ...message })
    return id
  }

  /** Sends a message and waits for its final response. */
  async ask(message: Record<string, unknown>): Promise<Message> {
    return this.answerTo(this.begin(message))
  }

  answerTo(id: number | string): Promise<Message> {
    return this.next((message) => message.id === id && isAnswer(message))
  }

  /** Returns the first matching message among those received, or the next one to arrive. */
  async next(wished: (message: Message) => boolean, timeoutMs = 30_000): Promise<Message> {
    const deadline = AbortSignal.timeout(timeoutMs)
    while (true) {
      const found = this.received.find(wished)
      if (found) return found
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error(`the WebSocket closed first; ${this.#summary()}`)
      await Promise.race([this.#wake.promise, once(deadline, 'abort')])
      if (deadline.aborted) throw new Error(`no such message within ${timeoutMs} ms; ${this.#summary()}`)
    }
  }

  /** Returns the text of the output events of one request. */
  text(id: number, stream: 'stdout' | 'stderr' = 'stdout'): string {
    return this.received
      .filter((message) => message.id === id && message.type === stream)
      .map(({ data }) => data.text ?? Buffer.from(data.base64, 'base64').toString())
      .join('')
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return
    const closed = once(this.socket, 'close')
    this.socket.close()
    await closed
  }

  #stir(): void {
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }

  #summary(): string {
    return `received: ${JSON.stringify(this.received.slice(-5)).slice(0, 1000)}`
  }
}

export function connectSocket(server: TestClient, { path = '/ws', token, headers }: Options = {}): WebSocket {
  const authorization = token === null ? undefined : `Bearer ${token ?? server.token}`
  return new WebSocket(server.url.replace('http', 'ws') + path, {
    headers: { ...(authorization ? { authorization } : {}), ...headers },
  })
}

function isAnswer({ type }: Message): boolean {
  return type === 'error' || type === 'pong' || type.endsWith('_result')
}
