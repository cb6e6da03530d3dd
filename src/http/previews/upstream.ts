import type { Duplex } from 'node:stream'
import type { Lease } from '../../engine/budgets/descriptor-budget.ts'

/** The exchange that currently uses a connection. */
export interface Traffic {
  /** @param bytes a borrowed buffer, which is reused after the call */
  onData(bytes: Buffer): void
  onDrain(): void
  /** The other end has ended its side, or the connection is closed. */
  onEnd(error?: Error): void
}

/** Opens a connection whose incoming bytes are passed to `onRead`. */
export type Dial = (onRead: (bytes: Buffer) => void) => Promise<Duplex>

/** A connection into a computer, for one request at a time. */
export class Upstream {
  readonly socket: Duplex
  #traffic: Traffic | undefined
  /** How many requests it has carried. */
  uses = 0
  /** The lease of its descriptor while it waits for the next request. */
  kept: Lease | undefined

  static async open(dial: Dial): Promise<Upstream> {
    let upstream: Upstream | undefined
    let hasReceived = false
    const socket = await dial((bytes) => {
      hasReceived = true
      upstream?.read(bytes)
    })
    upstream = new Upstream(socket)
    if (hasReceived) socket.destroy(new Error('the server sent data before any request'))
    return upstream
  }

  private constructor(socket: Duplex) {
    this.socket = socket
    socket.on('drain', () => this.#traffic?.onDrain())
    socket.on('end', () => (this.#traffic ? this.#traffic.onEnd() : socket.destroy()))
    socket.on('error', (error) => this.#traffic?.onEnd(error))
    socket.on('close', () => {
      this.kept?.release()
      this.#traffic?.onEnd()
    })
  }

  read(bytes: Buffer): void {
    if (this.#traffic) this.#traffic.onData(bytes)
    // Bytes that arrive without a request under way belong to no response.
    else this.socket.destroy()
  }

  begin(traffic: Traffic): void {
    this.uses += 1
    this.#traffic = traffic
    // A slow client of the previous response may have left it paused.
    if (this.socket.isPaused()) this.socket.resume()
  }

  /** Detaches the exchange: nothing is under way on the connection any more. */
  release(): void {
    this.#traffic = undefined
  }
}
