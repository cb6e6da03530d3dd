import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import { limits } from '../../config/limits.ts'
import type { Release } from '../../engine/budgets/memory-budget.ts'

/** Tells a client what it did wrong before its connection is closed for it. */
export type FaultReporter = (socket: ClientSocket, code: number) => void

/**
 * The server's side of a client's WebSocket. A client that violates the protocol (too large a message, text that is not
 * UTF-8, an invalid frame) is disconnected; before that, a message reports the fault where one can still be read.
 */
export class ClientSocket extends WebSocket {
  reportFault: FaultReporter | undefined
  /** The underlying connection, which shows whether the client accepts what is sent. */
  connection: (Duplex & { bytesWritten?: number }) | undefined
  lastHeardMs = Date.now()
  /**
   * Counts the message that just arrived against the memory budget, if it is large, until the returned function is
   * called.
   */
  takeMemory: (messageBytes: number) => Release | undefined = () => undefined
  /** Returns how many WebSockets the account has open. */
  siblings: () => number = () => 1
  readonly #holders = new Set<string>()
  #takenBytes = 0
  #waitingBytes = 0

  /**
   * How many bytes may wait for the client. The connections of an account share a budget: the more there are, the less
   * each has.
   */
  get maxBufferedBytes(): number {
    const share = limits.bufferedPerAccountBytes / this.siblings()
    return Math.max(limits.minBufferedBytes, Math.min(limits.bufferedBytes, share))
  }

  /** How many bytes of a process's output are read at a time for this client. */
  get readBytes(): number {
    return this.maxBufferedBytes < limits.outputReadBytes ? limits.minOutputReadBytes : limits.outputReadBytes
  }

  /** Pauses reading while at least one holder holds the socket. */
  hold(holder: string, held: boolean): void {
    if (held) this.#holders.add(holder)
    else this.#holders.delete(holder)
    const isHeld = this.#holders.size > 0
    if (isHeld === this.isPaused || this.readyState !== WebSocket.OPEN) return
    if (isHeld) this.pause()
    else this.resume()
  }

  override close(code?: number, reason?: string | Buffer): void {
    const fault = code === undefined ? undefined : faults[code]
    if (reason === undefined && fault !== undefined && code !== undefined && this.readyState === WebSocket.OPEN) {
      this.reportFault?.(this, code)
      return super.close(code, fault)
    }
    super.close(code, reason)
  }

  /** Whether the client accepted any of the bytes that waited at the last call: a slow reader is not a dead one. */
  hasTaken(): boolean {
    const waitingBytes = this.connection?.writableLength ?? 0
    const takenBytes = (this.connection?.bytesWritten ?? 0) - waitingBytes
    const has = this.#waitingBytes > 0 && takenBytes > this.#takenBytes
    this.#takenBytes = takenBytes
    this.#waitingBytes = waitingBytes
    return has
  }
}

/** The close codes of RFC 6455 for faults of a client. */
const faults: Record<number, string> = {
  1002: 'a frame breaks the protocol',
  1007: 'a text message is not UTF-8',
  1009: 'a message is too large',
}
