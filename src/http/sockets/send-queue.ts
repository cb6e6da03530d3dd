import { once } from 'node:events'
import type { ClientSocket } from './client-socket.ts'
import { MessageBuffers } from './message-buffers.ts'

/**
 * The messages that wait to be sent on one WebSocket. Messages are made and sent in turn, once the client keeps up, so
 * that a slow client costs no memory: however many wait, only the socket's buffer and one message are in memory.
 */
export class SendQueue {
  readonly #socket: ClientSocket
  #tail: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(socket: ClientSocket) {
    this.#socket = socket
  }

  /** How many messages wait for their turn. */
  get waiting(): number {
    return this.#waiting
  }

  /**
   * Makes a message when it can be sent. Resolves when it has been handed to the socket, or the client is gone. Calls
   * `onSent` when its data are no longer needed.
   */
  send(make: () => Promise<string> | string, onSent?: () => void): Promise<void> {
    return this.#inTurn(make, onSent)
  }

  #inTurn(make: Make, onSent?: () => void): Promise<void> {
    this.#waiting++
    const turn = this.#tail.then(() => this.#sendNow(make, onSent)).finally(() => this.#waiting--)
    this.#tail = turn.catch(() => {})
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
   * Sends one text message; a large one in parts, at the pace of the client. Stops when the client is gone. When a part
   * cannot be made, the connection is closed, because nothing else can be sent within the unfinished message.
   */
  sendParts(make: () => Promise<AsyncIterable<string | Buffer> | string>): Promise<void> {
    this.#waiting++
    const turn = this.#tail.then(() => this.#sendPartsNow(make)).finally(() => this.#waiting--)
    this.#tail = turn.catch(() => {})
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

  /** Whether a message has been sent in part: anything sent now would become part of it. */
  get isMidMessage(): boolean {
    return this.#isMidMessage
  }

  /**
   * Sends bytes as one binary message, after a first byte if there is one. They are copied: the caller can reuse them once
   * this resolves.
   */
  async sendBytes(first: number | undefined, rest: readonly Buffer[]): Promise<void> {
    let used: Buffer | undefined
    await this.#inTurn(
      () => {
        let at = first === undefined ? 0 : 1
        const length = rest.reduce((sum, part) => sum + part.length, at)
        used = buffers.take(length)
        if (first !== undefined) used[0] = first
        for (const part of rest) at += part.copy(used, at)
        return used.subarray(0, length)
      },
      () => used && buffers.release(used),
    )
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  #onSent: (() => void) | undefined

  /** Resolves when a waiting message has been sent, or the socket is closed. */
  async #drained(): Promise<void> {
    const stopWaiting = new AbortController()
    const closed = once(this.#socket, 'close', { signal: stopWaiting.signal }).catch(() => {})
    const sent = new Promise<void>((resolve) => (this.#onSent = resolve))
    await Promise.race([closed, sent])
    this.#onSent = undefined
    stopWaiting.abort()
  }
}

type Make = () => Promise<string | Buffer> | string | Buffer

const buffers = new MessageBuffers()

/** How much of a large message is buffered: parts are made fast, and many connections may have such a message. */
const partBufferBytes = 256 * 1024
