import type { WebSocketConstructor } from './exec-socket.ts'
import type { Transport } from './transport.ts'

/** What all calls of one client share. */
export interface Context {
  transport: Transport
  /** The sandbox of calls that name no other; undefined for the account's own. */
  sessionId: string | undefined
  /** Resolves with the client's WebSocket; undefined if none was passed and the runtime has none. */
  loadWebSocket(): Promise<WebSocketConstructor | undefined>
}

/** Options of every call. */
export interface CallOptions {
  /** The sandbox; default: the client's, else the account's own. */
  sessionId?: string | undefined
  /** Cancels the call, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

export interface RequestOptions extends CallOptions {
  /** Time limit of the whole call, in milliseconds, including retries; default: the client's. */
  requestTimeoutMs?: number | undefined
}

/** Returns the fields of a request that follow from the options of a call. */
export function callFields(options: RequestOptions): { signal?: AbortSignal; timeoutMs?: number } {
  return { signal: options.signal, timeoutMs: options.requestTimeoutMs }
}
