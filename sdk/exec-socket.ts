import { Buffer } from 'node:buffer'
import { deferred } from './deferred.ts'
import type { Deferred } from './deferred.ts'
import { CarrelApiError, CarrelConnectionError } from './errors.ts'

/**
 * The parts of a WebSocket that are used: those of the standard, and the extensions of the package `ws` if they exist.
 */
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

/** Has to accept `{ headers }` as its second argument, as `ws` does, and Node's own since version 22. */
export type WebSocketConstructor = new (url: string, options?: never) => WebSocketLike

export interface SocketListener {
  onText(text: string): void
  onBinary(data: Uint8Array): void
  /** The answer to `ping(data)`. */
  onPong(data: string): void
  /** Called once, if the socket was open. */
  onClose(error: CarrelConnectionError): void
}

export interface ExecSocket {
  send(data: string | Uint8Array): void
  /** Bytes not yet passed to the operating system. */
  readonly bufferedBytes: number
  /** undefined if the WebSocket has no pings. */
  readonly ping: ((data: string) => void) | undefined
  /** Stops reading, if the WebSocket supports it. */
  pause(): void
  resume(): void
  /** Closes the connection. Resolves when the other side has read everything sent before, or does not answer. */
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
/** How long a closing handshake may take. */
const closeTimeoutMs = 1_000
/** Maximum length of a refusal's body that is read. */
const maxRefusalBytes = 64 * 1024

/** Opens a WebSocket. Rejects with a `CarrelApiError` if the server refuses it with an error envelope. */
export function openSocket(options: SocketOptions, listener: SocketListener): Promise<ExecSocket> {
  const { url, headers, WebSocket, signal } = options
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    // The compression that `ws` enables by default costs more than it saves here.
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

/** The response to a handshake that the server declined, as `ws` provides it. */
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
    // The status is enough.
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
