import { once } from 'node:events'
import type { ClientSocket } from './client-socket.ts'
import { MessageBuffers } from './message-buffers.ts'

/**
 * What goes out to a client. It waits while the client is behind, so that slowness costs no memory: however many want to
 * send over one socket, at most the buffer and one message of them are in memory. They take turns.
 */
export class SendQueue {
  readonly #socket: ClientSocket
  #line: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(socket: ClientSocket) {
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
    while (this.#isOpen && this.#socket.bufferedAmount >= this.#socket.maxBufferedBytes) await this.#drained()
    if (!this.#isOpen) return
    const data = await make()
    if (!this.#isOpen) return onSent?.()
    this.#socket.send(data, { binary: typeof data !== 'string' }, () => {
      onSent?.()
      this.#onSent?.()
    })
  }

  /**
   * One text message, in parts where it is large, as many at a time as the client takes. A client that is gone, or a part that cannot be made, ends the
   * making; in the latter case nothing can be sent on this connection any more, and it is closed.
   */
  sendParts(make: () => Promise<AsyncIterable<string | Buffer> | string>): Promise<void> {
    this.#waiting++
    const turn = this.#line.then(() => this.#sendPartsNow(make)).finally(() => this.#waiting--)
    this.#line = turn.catch(() => {})
    return turn
  }

  async #sendPartsNow(make: () => Promise<AsyncIterable<string | Buffer> | string>): Promise<void> {
    if (!this.#isOpen) return
    const parts = await make()
    if (typeof parts === 'string') return this.#sendNow(() => parts)
    this.#isMidMessage = true
    try {
      for await (const part of parts) {
        while (this.#isOpen && this.#socket.bufferedAmount >= Math.min(partBufferBytes, this.#socket.maxBufferedBytes))
          await this.#drained()
        if (!this.#isOpen) return
        this.#socket.send(part, { binary: false, fin: false }, () => this.#onSent?.())
      }
      if (this.#isOpen) this.#socket.send('', { binary: false, fin: true }, () => this.#onSent?.())
    } catch (error) {
      this.#socket.terminate()
      throw error
    } finally {
      this.#isMidMessage = false
    }
  }

  #isMidMessage = false

  /** Whether a message is sent in part: what came between would become a part of it. */
  get isMidMessage(): boolean {
    return this.#isMidMessage
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

/** A large message's parts are made fast, and many connections may have one. */
const partBufferBytes = 256 * 1024
