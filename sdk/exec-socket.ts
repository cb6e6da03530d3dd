import { Buffer } from 'node:buffer'
import { deferred } from './deferred.ts'
import type { Deferred } from './deferred.ts'
import { CarrelApiError, CarrelConnectionError } from './errors.ts'

/** What is used of a WebSocket: the standard's, and where they exist the extras of the package `ws`. */
export interface WebSocketLike {
  binaryType: string
  readonly readyState: number
  readonly bufferedAmount: number
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  send(data: string | Uint8Array): void
  close(code?: number): void
  ping?(data: string): void
  pause?(): void
  resume?(): void
  terminate?(): void
  on?(event: string, listener: (...values: never[]) => void): unknown
}

/** Has to take `{ headers }` as its second argument, as `ws` does and Node's own from version 22 on. */
export type WebSocketConstructor = new (url: string, options?: never) => WebSocketLike

export interface SocketListener {
  onText(text: string): void
  onBinary(data: Uint8Array): void
  /** The answer to `ping(data)`. */
  onPong(data: string): void
  /** Once, after the socket was open. */
  onClose(error: CarrelConnectionError): void
}

export interface ExecSocket {
  send(data: string | Uint8Array): void
  /** Bytes that were not handed to the system yet. */
  readonly bufferedBytes: number
  /** undefined where the WebSocket can't. */
  readonly ping: ((data: string) => void) | undefined
  /** Stops reading, where the WebSocket can. */
  pause(): void
  resume(): void
  /** Says goodbye; resolves when the other side has read all up to it, or does not answer. */
  close(): Promise<void>
  /** Drops the connection without waiting for the other side. */
  terminate(): void
}

export interface SocketOptions {
  url: string
  headers: Record<string, string>
  WebSocket: WebSocketConstructor
  signal: AbortSignal
}

/** The server's limits for one message, with room to spare. */
const maxMessageBytes = 64 * 1024 * 1024
/** How long a goodbye may take. */
const closeTimeoutMs = 1_000
/** How much of a refusal's body is read. */
const maxRefusalBytes = 64 * 1024

/** Opens a WebSocket; rejects with a `CarrelApiError` when the server refused it with an envelope. */
export function openSocket(options: SocketOptions, listener: SocketListener): Promise<ExecSocket> {
  const { url, headers, WebSocket, signal } = options
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    // The compression that `ws` offers by default costs more than it saves here.
    const init = { headers, perMessageDeflate: false, maxPayload: maxMessageBytes }
    const socket = new WebSocket(url, init as never)
    if (socket.binaryType === 'blob') socket.binaryType = 'arraybuffer'
    const closed = deferred()
    let isOpen = false
    let failure: unknown

    const abort = () => {
      reject(signal.reason)
      drop(socket)
    }
    signal.addEventListener('abort', abort, { once: true })
    socket.on?.('unexpected-response', (request: { destroy(): void }, response: Refusal) => {
      void readRefusal(response).then((error) => {
        signal.removeEventListener('abort', abort)
        reject(error)
        request.destroy()
      })
    })
    socket.on?.('pong', (data: Buffer) => listener.onPong(data.toString()))
    socket.onopen = () => {
      isOpen = true
      signal.removeEventListener('abort', abort)
      resolve(wrap(socket, closed))
    }
    socket.onmessage = ({ data }: { data: string | ArrayBuffer | Uint8Array }) => {
      if (typeof data === 'string') listener.onText(data)
      else listener.onBinary(data instanceof Uint8Array ? data : new Uint8Array(data))
    }
    socket.onerror = (event: { error?: unknown; message?: string }) => {
      failure ??= event.error ?? (event.message ? new Error(event.message) : undefined)
    }
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => {
      signal.removeEventListener('abort', abort)
      closed.resolve()
      const error = failure
        ? CarrelConnectionError.from(url, failure)
        : new CarrelConnectionError(url, `the connection was closed (${code}${reason ? `, "${reason}"` : ''})`)
      if (isOpen) listener.onClose(error)
      else reject(error)
    }
  })
}

function wrap(socket: WebSocketLike, closed: Deferred<void>): ExecSocket {
  return {
    send: (data) => socket.send(data),
    get bufferedBytes() {
      return socket.bufferedAmount
    },
    ping: socket.ping && ((data) => socket.ping?.(data)),
    pause: () => socket.pause?.(),
    resume: () => socket.resume?.(),
    close: async () => {
      socket.resume?.()
      socket.close(1000)
      const timer = setTimeout(() => {
        drop(socket)
        closed.resolve()
      }, closeTimeoutMs)
      await closed.promise
      clearTimeout(timer)
    },
    terminate: () => drop(socket),
  }
}

function drop(socket: WebSocketLike): void {
  if (socket.terminate) socket.terminate()
  else socket.close()
}

/** The response to a handshake that the server declined, as `ws` hands it out. */
type Refusal = AsyncIterable<Uint8Array> & { statusCode: number; headers: Record<string, string> }

async function readRefusal(response: Refusal): Promise<CarrelApiError> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of response) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > maxRefusalBytes) break
    }
  } catch {
    // The status says enough.
  }
  const headers = { get: (name: string) => response.headers[name] ?? null }
  return new CarrelApiError(response.statusCode, tryJson(Buffer.concat(chunks).toString()), headers)
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
