import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import { limits } from '../../config/limits.ts'
import type { Release } from '../../engine/budgets/memory-budget.ts'

/** Says what is wrong before it closes a connection for what its client sent. */
export type Farewell = (socket: ClientSocket, code: number) => void

/**
 * A client's end of a WebSocket. What it breaks of the protocol (a message that is too large, text that is no UTF-8, a
 * frame that is none) closes the connection; before that it is told why, as a message where one can still be read.
 */
export class ClientSocket extends WebSocket {
  farewell: Farewell | undefined
  /** The connection below, to see whether it takes what is sent. */
  connection: (Duplex & { bytesWritten?: number }) | undefined
  lastHeardMs = Date.now()
  /** Counts the message that just came, where it is a large one, until the answer is called. */
  takeMemory: (messageBytes: number) => Release | undefined = () => undefined
  /** How many WebSockets its account has open. */
  siblings: () => number = () => 1
  readonly #holders = new Set<string>()
  #takenBytes = 0
  #waitingBytes = 0

  /** How much may wait for its client: of many connections of an account each has less. */
  get maxBufferedBytes(): number {
    const share = limits.bufferedPerAccountBytes / this.siblings()
    return Math.max(limits.minBufferedBytes, Math.min(limits.bufferedBytes, share))
  }

  /** How much of a process's output is read for it at a time. */
  get readBytes(): number {
    return this.maxBufferedBytes < limits.outputReadBytes ? limits.minOutputReadBytes : limits.outputReadBytes
  }

  /** Nothing is read while anybody holds it. */
  hold(who: string, held: boolean): void {
    if (held) this.#holders.add(who)
    else this.#holders.delete(who)
    const isHeld = this.#holders.size > 0
    if (isHeld === this.isPaused || this.readyState !== WebSocket.OPEN) return
    if (isHeld) this.pause()
    else this.resume()
  }

  override close(code?: number, reason?: string | Buffer): void {
    const why = code === undefined ? undefined : faults[code]
    if (reason === undefined && why !== undefined && code !== undefined && this.readyState === WebSocket.OPEN) {
      this.farewell?.(this, code)
      return super.close(code, why)
    }
    super.close(code, reason)
  }

  /** Whether the other side took something of what waited when this was last asked: a slow reader is not a dead one. */
  hasTaken(): boolean {
    const waitingBytes = this.connection?.writableLength ?? 0
    const takenBytes = (this.connection?.bytesWritten ?? 0) - waitingBytes
    const has = this.#waitingBytes > 0 && takenBytes > this.#takenBytes
    this.#takenBytes = takenBytes
    this.#waitingBytes = waitingBytes
    return has
  }
}

/** Close codes of RFC 6455 for what a client did wrong. */
const faults: Record<number, string> = {
  1002: 'a frame breaks the protocol',
  1007: 'a text message is not UTF-8',
  1009: 'a message is too large',
}
