import { Backoff } from '../api/backoff.ts'

export type TerminalState = 'connecting' | 'open' | 'waiting' | 'ended'

/** How the program of a terminal ended; both are null where nobody knows. */
export interface TerminalEnd {
  code: number | null
  signal: string | null
}

export interface TerminalListener {
  onState: (state: TerminalState) => void
  /** `replayed`: the output is from before this page was connected. */
  onOutput: (bytes: Uint8Array, replayed: boolean) => void
  /** The server no longer has all that came since the last output: the next output begins after a gap. */
  onGap: () => void
  onEnd: (end: TerminalEnd) => void
  onError: (message: string) => void
}

/** The part of a WebSocket that is used. */
export type Channel = Pick<WebSocket, 'readyState' | 'send' | 'close' | 'addEventListener'> & { binaryType: string }

interface Options {
  /** Opens a WebSocket that sends the output after this offset. */
  open: (after: number) => Channel
  /** Whether a connection that closed with this code is worth another attempt. */
  mayReconnect: (close: { code: number; reason: string }) => boolean
  /** Whether the terminal still exists: asked when a connection was refused. */
  exists: () => Promise<boolean>
  size: { cols: number; rows: number }
  /** Whether what comes first was printed before this page was there. */
  hasPast: boolean
  listener: TerminalListener
  backoff?: Backoff
}

type ServerMessage =
  /** `end`: where the output that was printed before ends. */
  { type: 'ready'; offset: number; end: number } | ({ type: 'exit' } & TerminalEnd) | { type: 'error'; message: string }

const openState = 1
/** Beyond this much output that is not drawn yet the connection is closed; it is opened again for the rest. */
const maxUndrawnBytes = 8 * 1024 * 1024
const resumeUndrawnBytes = 1024 * 1024
/** A large paste goes in pieces, as a frame has a maximum size. */
const inputPieceBytes = 16 * 1024

/**
 * The connection of one terminal. It connects again after each break and goes on where the output ended. A page that
 * draws more slowly than a program prints closes the connection until it has caught up, so that output waits at the
 * server.
 */
export class TerminalSocket {
  readonly #options: Options
  readonly #listener: TerminalListener
  readonly #backoff: Backoff
  #channel: Channel | undefined
  #state: TerminalState = 'connecting'
  #size: { cols: number; rows: number }
  #offset = 0
  #replayEnd = 0
  #isFirst: boolean
  #undrawnBytes = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: Options) {
    this.#options = options
    this.#listener = options.listener
    this.#size = options.size
    this.#backoff = options.backoff ?? new Backoff()
    this.#isFirst = options.hasPast
    this.#connect()
  }

  /** Sends input. While there is no connection it is dropped: a program must not get it at some later time. */
  send(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
    if (!this.#isOpen) return
    for (let at = 0; at < bytes.length; at += inputPieceBytes)
      this.#channel?.send(bytes.slice(at, at + inputPieceBytes))
  }

  resize(cols: number, rows: number): void {
    this.#size = { cols, rows }
    if (this.#isOpen) this.#sendSize()
  }

  /** Output of this many bytes has been drawn. */
  drawn(bytes: number): void {
    this.#undrawnBytes -= bytes
    if (this.#state === 'waiting' && this.#timer === undefined && this.#undrawnBytes <= resumeUndrawnBytes)
      this.#connect()
  }

  /** Connects at once if the next attempt is being waited for. */
  retryNow(): void {
    if (this.#timer === undefined) return
    this.#clearTimer()
    this.#connect()
  }

  /** Ends the connection for good; the terminal goes on. */
  close(): void {
    this.#clearTimer()
    this.#setState('ended')
    const channel = this.#channel
    this.#channel = undefined
    channel?.close()
  }

  get #isOpen(): boolean {
    return this.#state === 'open' && this.#channel?.readyState === openState
  }

  #connect(): void {
    this.#setState('connecting')
    const channel = this.#options.open(this.#offset)
    this.#channel = channel
    channel.binaryType = 'arraybuffer'
    // A channel that was given up may still speak.
    const isCurrent = () => this.#channel === channel
    channel.addEventListener('message', ({ data }) => {
      if (isCurrent()) this.#take(data)
    })
    channel.addEventListener('close', (event) => {
      if (isCurrent()) void this.#lost(event)
    })
  }

  #take(data: unknown): void {
    if (data instanceof ArrayBuffer) return this.#takeOutput(new Uint8Array(data))
    const message = JSON.parse(String(data)) as ServerMessage
    if (message.type === 'ready') this.#ready(message)
    else if (message.type === 'exit') this.#end(message)
    else if (message.type === 'error') this.#listener.onError(message.message)
  }

  #ready({ offset, end }: { offset: number; end: number }): void {
    if (!this.#isFirst && offset > this.#offset) this.#listener.onGap()
    if (this.#isFirst) this.#replayEnd = end
    this.#isFirst = false
    this.#offset = offset
    this.#backoff.reset()
    this.#setState('open')
    this.#sendSize()
  }

  #takeOutput(bytes: Uint8Array): void {
    const replayed = this.#offset < this.#replayEnd
    this.#offset += bytes.length
    this.#undrawnBytes += bytes.length
    this.#listener.onOutput(bytes, replayed)
    if (this.#undrawnBytes > maxUndrawnBytes) this.#pause()
  }

  #pause(): void {
    const channel = this.#channel
    this.#channel = undefined
    channel?.close()
    this.#setState('waiting')
  }

  #end({ code, signal }: TerminalEnd): void {
    this.close()
    this.#listener.onEnd({ code, signal })
  }

  async #lost({ code, reason }: { code: number; reason: string }): Promise<void> {
    const wasRefused = this.#state === 'connecting'
    this.#channel = undefined
    if (!this.#options.mayReconnect({ code, reason })) return this.close()
    this.#setState('waiting')
    this.#timer = setTimeout(() => {
      this.#clearTimer()
      void this.#retry(wasRefused)
    }, this.#backoff.nextMs())
  }

  async #retry(wasRefused: boolean): Promise<void> {
    // Where even the question fails, the next attempt tells.
    const exists = !wasRefused || (await this.#options.exists().catch(() => true))
    if (this.#state !== 'waiting' || this.#channel !== undefined) return
    if (exists) this.#connect()
    else this.#end({ code: null, signal: null })
  }

  #sendSize(): void {
    this.#channel?.send(JSON.stringify({ type: 'resize', ...this.#size }))
  }

  #clearTimer(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #setState(state: TerminalState): void {
    if (state === this.#state) return
    this.#state = state
    this.#listener.onState(state)
  }
}
