import { once } from 'node:events'
import type { WebSocket } from 'ws'
import { MessageBuffers } from './message-buffers.ts'

/**
 * What goes out to a client. It waits while the client is behind, so that slowness costs no memory: however many want to
 * send over one socket, at most the buffer and one message of them are in memory. They take turns.
 */
export class Outlet {
  readonly #socket: WebSocket
  #line: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(socket: WebSocket) {
    this.#socket = socket
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiting
  }

  /** Made when it can go out; resolves when it is on its way, or the client is gone. `onSent` when it is needed no longer. */
  send(make: () => Promise<string> | string, onSent?: () => void): Promise<void> {
    return this.#inTurn(make, onSent)
  }

  #inTurn(make: Make, onSent?: () => void): Promise<void> {
    this.#waiting++
    const turn = this.#line.then(() => this.#sendNow(make, onSent)).finally(() => this.#waiting--)
    this.#line = turn.catch(() => {})
    return turn
  }

  async #sendNow(make: Make, onSent?: () => void): Promise<void> {
    while (this.#isOpen && this.#socket.bufferedAmount >= maxBufferedBytes) await this.#drained()
    if (!this.#isOpen) return
    const data = await make()
    if (!this.#isOpen) return onSent?.()
    this.#socket.send(data, { binary: typeof data !== 'string' }, () => {
      onSent?.()
      this.#onSent?.()
    })
  }

  /** Bytes as one binary message; they are copied, and are the caller's again when this resolves. */
  async sendBytes(first: number, rest: readonly Buffer[]): Promise<void> {
    let used: Buffer | undefined
    await this.#inTurn(
      () => {
        const length = rest.reduce((sum, part) => sum + part.length, 1)
        used = buffers.take(length)
        used[0] = first
        let at = 1
        for (const part of rest) at += part.copy(used, at)
        return used.subarray(0, length)
      },
      () => used && buffers.giveBack(used),
    )
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  #onSent: (() => void) | undefined

  /** Something of what waits was sent, or the socket is closed. */
  async #drained(): Promise<void> {
    const leaving = new AbortController()
    const closed = once(this.#socket, 'close', { signal: leaving.signal }).catch(() => {})
    const sent = new Promise<void>((resolve) => (this.#onSent = resolve))
    await Promise.race([closed, sent])
    this.#onSent = undefined
    leaving.abort()
  }
}

type Make = () => Promise<string | Buffer> | string | Buffer

const buffers = new MessageBuffers()

/** Enough to keep a fast connection busy while the next message is made. */
const maxBufferedBytes = 2 * 1024 * 1024
