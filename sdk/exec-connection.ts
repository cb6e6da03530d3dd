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
  /** The server has read everything that was sent before the ping with this number. */
  onPong(number: number): void
  /** True while the server may leave a ping unanswered because it waits for a program to read its input. */
  isInputPending(): boolean
  /** Returns the error to end with, or undefined to reconnect. */
  onLost(error: CarrelConnectionError): unknown
  /** There is a new connection, on which this listener sends first. */
  onRestored(): void
  /** The connection is lost for good. */
  onFailed(error: unknown): void
}

export interface ConnectionOptions {
  listener: ConnectionListener
  /** How long reconnecting is attempted. */
  reconnectMs: number
  /** Ends the connection. */
  signal: AbortSignal
}

const path = '/v1/exec'
const maxFirstRetries = 3
/** A connection that is silent for this long, and as long again after a ping, counts as dead. */
const heartbeatMs = 15_000
/** A connection that lasted this long was a good one, even a silent one: the time for reconnecting starts anew. */
const goodConnectionMs = 5_000
/** How often the buffer is checked, as a WebSocket has no event for an empty buffer. */
const bufferPollMs = 5

/** The WebSocket of an exec session, which is replaced by a new one when it is lost. */
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

  /** True if `ping` can confirm what the server has read. */
  get canPing(): boolean {
    return this.#socket?.ping !== undefined
  }

  /** Bytes that wait to be sent. */
  get bufferedBytes(): number {
    return this.#socket?.bufferedBytes ?? 0
  }

  /** Opens the first connection. Only a temporary refusal is retried. */
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

  /** Waits for an open connection. Resolves with false if the session has ended. */
  async ready(): Promise<boolean> {
    while (!this.#socket && !this.#options.signal.aborted) {
      this.#restored ??= deferred()
      await this.#restored.promise
    }
    return !this.#options.signal.aborted
  }

  /** Sends data, which is dropped while the connection is lost. */
  send(data: string | Uint8Array): void {
    this.#socket?.send(data)
  }

  ping(number: number): void {
    this.#socket?.ping?.(String(number))
  }

  /** Stops or resumes reading, also on later connections. */
  pause(paused: boolean): void {
    this.#isPaused = paused
    if (paused) this.#socket?.pause()
    else this.#socket?.resume()
  }

  /** Drops a connection that the server cannot continue with, so that a new one is made. */
  drop(): void {
    this.#socket?.terminate()
  }

  /** Records progress on this connection: the time for reconnecting starts anew with the next loss. */
  progressed(): void {
    this.#lostAtMs = undefined
  }

  /** After the end: resolves once the server has read everything that was sent, or is gone. */
  async closed(): Promise<void> {
    await this.#closed
  }

  /** Resolves when no more than this many bytes wait to be sent, or the connection was replaced. */
  async drained(bytes: number): Promise<void> {
    const socket = this.#socket
    while (socket && socket === this.#socket && socket.bufferedBytes > bytes) await delay(bufferPollMs)
  }

  async #connect(): Promise<void> {
    const { transport } = this.#context
    const { listener, signal } = this.#options
    const WebSocket = await this.#context.loadWebSocket()
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
        const isFinal = error instanceof CarrelApiError && !error.retryable
        if (isFinal || Date.now() - this.#lostAtMs > reconnectMs) return listener.onFailed(error)
      }
    }
  }

  /** Checks for silence, which means nothing while either side does not read. */
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
