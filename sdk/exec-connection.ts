import type { Context } from './context.ts'
import { deferred } from './deferred.ts'
import type { Deferred } from './deferred.ts'
import { delay } from './delay.ts'
import { CarrelApiError } from './errors.ts'
import type { CarrelConnectionError } from './errors.ts'
import { openSocket } from './exec-socket.ts'
import type { ExecSocket, SocketListener } from './exec-socket.ts'
import { backoffMs, retryDelayMs } from './retry.ts'

export interface ConnectionListener {
  onText(text: string): void
  onBinary(data: Uint8Array): void
  /** The server has read all that was sent before the ping of this number. */
  onPong(number: number): void
  /** True while the server may leave a ping unanswered since it waits for a program to take its input. */
  isInputPending(): boolean
  /** Answers with the error to end with, or undefined to have the connection made again. */
  onLost(error: CarrelConnectionError): unknown
  /** A new connection is there; the first thing to send on it is this listener's. */
  onRestored(): void
  /** There is no way back. */
  onFailed(error: unknown): void
}

export interface ConnectionOptions {
  listener: ConnectionListener
  /** How long a lost connection is tried again. */
  reconnectMs: number
  /** The end of it all. */
  signal: AbortSignal
}

const path = '/v1/exec'
const maxFirstRetries = 3
/** A connection that is silent for this long, and as long again after a ping, is taken for dead. */
const heartbeatMs = 15_000
/** A connection that held this long was a good one, also when it was silent: the time for coming back counts anew. */
const goodConnectionMs = 5_000
/** Where a WebSocket can't say when its buffer is empty, it is looked at this often. */
const bufferPollMs = 5

/** The WebSocket of an exec session, and the next one when it is lost. */
export class ExecConnection {
  readonly url: string
  readonly #context: Context
  readonly #options: ConnectionOptions
  #socket: ExecSocket | undefined
  #openedAtMs = 0
  #lostAtMs: number | undefined
  #attempt = 0
  #restored: Deferred<void> | undefined
  #isPaused = false
  #wasHeard = true
  #heartbeat: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined

  constructor(context: Context, options: ConnectionOptions) {
    this.url = context.transport.url(path).replace(/^http/, 'ws')
    this.#context = context
    this.#options = options
    options.signal.addEventListener('abort', () => this.#end(), { once: true })
  }

  /** False while the connection is lost. */
  get isOpen(): boolean {
    return this.#socket !== undefined
  }

  /** True when the server's reading can be proved by `ping`. */
  get canPing(): boolean {
    return this.#socket?.ping !== undefined
  }

  get bufferedBytes(): number {
    return this.#socket?.bufferedBytes ?? 0
  }

  /** The first connection: only a refusal that may pass is tried again. */
  async open(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#connect()
      } catch (error) {
        const delayMs = retryDelayMs(error, attempt, 'refused')
        if (delayMs === undefined || attempt >= maxFirstRetries) throw error
        await delay(delayMs, this.#options.signal)
      }
    }
  }

  /** Resolves when it is open, with false when all is over. */
  async ready(): Promise<boolean> {
    while (!this.#socket && !this.#options.signal.aborted) {
      this.#restored ??= deferred()
      await this.#restored.promise
    }
    return !this.#options.signal.aborted
  }

  /** Goes nowhere while the connection is lost. */
  send(data: string | Uint8Array): void {
    this.#socket?.send(data)
  }

  ping(number: number): void {
    this.#socket?.ping?.(String(number))
  }

  /** Stops reading, also on the connections to come. */
  pause(paused: boolean): void {
    this.#isPaused = paused
    if (paused) this.#socket?.pause()
    else this.#socket?.resume()
  }

  /** The server can't go on with this connection; another one may do. */
  drop(): void {
    this.#socket?.terminate()
  }

  /** This connection brought something new: the next loss is a first one. */
  progressed(): void {
    this.#lostAtMs = undefined
  }

  /** After the end: resolves when the server has read all that was sent, or is gone. */
  async closed(): Promise<void> {
    await this.#closed
  }

  /** Resolves when less than this waits to be sent, or the connection is another one. */
  async drained(bytes: number): Promise<void> {
    const socket = this.#socket
    while (socket && socket === this.#socket && socket.bufferedBytes > bytes) await delay(bufferPollMs)
  }

  async #connect(): Promise<void> {
    const { WebSocket, transport } = this.#context
    const { listener, signal } = this.#options
    if (!WebSocket) {
      throw new TypeError('This runtime has no WebSocket: pass one to the client, such as the one of the package "ws"')
    }
    const socketListener: SocketListener = {
      onText: (text) => this.#hear(() => listener.onText(text)),
      onBinary: (data) => this.#hear(() => listener.onBinary(data)),
      onPong: (data) => this.#hear(() => listener.onPong(Number(data))),
      onClose: (error) => this.#onClose(error),
    }
    const headers = transport.identity
    this.#socket = await openSocket({ url: this.url, headers, WebSocket, signal }, socketListener)
    this.#openedAtMs = Date.now()
    this.#wasHeard = true
    if (this.#isPaused) this.#socket.pause()
    this.#heartbeat ??= setInterval(() => this.#beat(), heartbeatMs)
  }

  #hear(handle: () => void): void {
    if (this.#options.signal.aborted) return
    this.#wasHeard = true
    handle()
  }

  #onClose(error: CarrelConnectionError): void {
    this.#socket = undefined
    if (this.#options.signal.aborted) return
    const final = this.#options.listener.onLost(error)
    if (final === undefined) void this.#reconnect()
    else this.#options.listener.onFailed(final)
  }

  async #reconnect(): Promise<void> {
    const { listener, reconnectMs, signal } = this.#options
    if (this.#lostAtMs === undefined || Date.now() - this.#openedAtMs > goodConnectionMs) {
      this.#lostAtMs = Date.now()
      this.#attempt = 0
    }
    while (!signal.aborted) {
      try {
        await delay(backoffMs(this.#attempt++), signal)
        await this.#connect()
        listener.onRestored()
        this.#restored?.resolve()
        this.#restored = undefined
        return
      } catch (error) {
        const isHopeless = error instanceof CarrelApiError && !error.retryable
        if (isHopeless || Date.now() - this.#lostAtMs > reconnectMs) return listener.onFailed(error)
      }
    }
  }

  /** Silence proves nothing while nothing is read, on either side. */
  #beat(): void {
    if (!this.#socket?.ping || this.#isPaused || this.#options.listener.isInputPending()) this.#wasHeard = true
    else if (!this.#wasHeard) this.#socket.terminate()
    else {
      this.#wasHeard = false
      this.ping(0)
    }
  }

  #end(): void {
    clearInterval(this.#heartbeat)
    this.#closed = this.#socket?.close()
    this.#restored?.resolve()
  }
}
