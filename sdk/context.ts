import type { WebSocketConstructor } from './exec-socket.ts'
import type { Transport } from './transport.ts'

/** What every call of one client shares. */
export interface Context {
  transport: Transport
  /** The sandbox that calls are for unless they name another; undefined is the account's own. */
  sessionId: string | undefined
  /** undefined where the runtime has none and none was passed. */
  WebSocket: WebSocketConstructor | undefined
}

/** What every call takes. */
export interface CallOptions {
  /** The sandbox; default: the client's, else the account's own. */
  sessionId?: string
  /** Gives up; rejects with the signal's reason. */
  signal?: AbortSignal
}

/** Also says how long the whole call may take, in milliseconds, retries included; default: the client's. */
export interface RequestOptions extends CallOptions {
  requestTimeoutMs?: number
}

/** The parts of a request that a call's options decide. */
export function callFields(options: RequestOptions): { signal?: AbortSignal; timeoutMs?: number } {
  return { signal: options.signal, timeoutMs: options.requestTimeoutMs }
}
