import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { Code, ConnectError, type ContextValues } from '@connectrpc/connect'
import type { UniversalServerRequest, UniversalServerResponse } from '@connectrpc/connect/protocol'
import { limits } from '../../../config/limits.ts'

interface Options {
  origin: string
  /** Aborts when the client has left. */
  signal: AbortSignal
  /** True for a stream of input, whose length is not bounded. */
  isEndless: boolean
  contextValues: ContextValues
}

/** Returns a request of Node in the form that Connect's handlers take. */
export function universalRequest(
  request: IncomingMessage,
  { origin, signal, isEndless, contextValues }: Options,
): UniversalServerRequest & { body: AsyncIterable<Uint8Array> } {
  return {
    httpVersion: request.httpVersion,
    method: request.method ?? '',
    url: new URL(request.url ?? '/', origin).href,
    header: headersOf(request.headers),
    body: bounded(request, isEndless),
    signal,
    contextValues,
  }
}

/** Sends the response of a handler as fast as the client reads it. */
export async function sendResponse(response: ServerResponse, { status, header, body }: UniversalServerResponse) {
  // Before the body of the request has arrived, the next request cannot follow it.
  if (!response.req.complete) response.setHeader('connection', 'close')
  response.writeHead(status, Object.fromEntries(header ?? []))
  for await (const bytes of body ?? []) {
    if (response.destroyed) return
    if (!response.write(bytes)) await drained(response)
  }
  response.end()
}

/** Resolves when the response takes more, or is closed. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}

/**
 * Yields the bytes of a body. JSON with too many values is refused before it is parsed: a few bytes each take much
 * longer to parse than to send. What is sent without a length has to be short, unless it is an endless stream of input,
 * whose messages are texts with hardly any values.
 */
async function* bounded(request: IncomingMessage, isEndless: boolean): AsyncGenerator<Uint8Array> {
  const isShort = !isEndless && request.headers['content-length'] === undefined
  const isJson = request.headers['content-type']?.includes('json') ?? true
  let [bytes, commas] = [0, 0]
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (isJson) for (const byte of chunk) if (byte === comma) commas++
    const maxCommas = isEndless ? 1000 + bytes / bytesPerValue : limits.bodyValues
    if (commas > maxCommas || (isShort && bytes > limits.gatewayMessageBytes))
      throw new ConnectError('the request is too large', Code.ResourceExhausted)
    yield chunk
  }
}

function headersOf(headers: IncomingHttpHeaders): Headers {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as [string, string]],
  )
  return new Headers(entries)
}

const comma = 0x2c
const bytesPerValue = 64
