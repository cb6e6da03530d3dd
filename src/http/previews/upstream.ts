import type { Duplex } from 'node:stream'
import type { Lease } from '../../engine/budgets/descriptor-budget.ts'

/** What is under way on a connection. */
export interface Traffic {
  /** In memory that is used again afterwards. */
  onData(bytes: Buffer): void
  onDrain(): void
  /** The other end says no more, or the connection is gone. */
  onEnd(error?: Error): void
}

/** Makes a connection whose bytes go to `onRead`. */
export type Dial = (onRead: (bytes: Buffer) => void) => Promise<Duplex>

/** A connection into a computer, for one request after the other. */
export class Upstream {
  readonly socket: Duplex
  #traffic: Traffic | undefined
  /** How many requests it has had. */
  uses = 0
  /** While it waits for the next one. */
  kept: Lease | undefined

  static async open(dial: Dial): Promise<Upstream> {
    let upstream: Upstream | undefined
    let spoke = false
    const socket = await dial((bytes) => {
      spoke = true
      upstream?.read(bytes)
    })
    upstream = new Upstream(socket)
    if (spoke) socket.destroy(new Error('it spoke before it was asked'))
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
    // What comes when nothing was asked for is no answer to anything.
    else this.socket.destroy()
  }

  begin(traffic: Traffic): void {
    this.uses += 1
    this.#traffic = traffic
    // The client of the answer before may have been slow.
    if (this.socket.isPaused()) this.socket.resume()
  }

  /** Nothing is under way on it any more. */
  release(): void {
    this.#traffic = undefined
  }
}
