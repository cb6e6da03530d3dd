import { request as httpRequest, STATUS_CODES, type IncomingMessage } from 'node:http'
import { pipeline, type Duplex } from 'node:stream'
import { targetWithoutTokens, type TokenFinder } from './without-tokens.ts'
import { responseHeaders, headerLines, requestHeaders } from './relayed-headers.ts'

interface Options {
  /** A connection into a computer. */
  connection: Duplex
  request: IncomingMessage
  client: Duplex
  /** Bytes that arrived with the handshake, after its head. */
  head: Buffer
  ownTokens: TokenFinder
}

/**
 * Forwards a WebSocket handshake over a connection into a computer. Resolves once the server there accepts it, and both
 * ends talk to each other; or once it refuses, and the refusal is relayed as the last response on the client's
 * connection. Rejects when there is no response.
 */
export function forwardSocket({ connection, request, client, head, ownTokens }: Options): Promise<void> {
  return new Promise((resolve, reject) => {
    const { method, url = '/' } = request
    const path = targetWithoutTokens(url, ownTokens)
    const { upgrade = '' } = request.headers
    const headers = [
      ...requestHeaders(request, ownTokens),
      'connection',
      'Upgrade',
      'upgrade',
      ownTokens.isIn(upgrade) ? 'websocket' : upgrade,
    ]
    const upstream = httpRequest({ createConnection: () => connection, method, path, headers, setHost: false })
    // A client that disconnects before the response goes unnoticed, because nothing reads from it yet.
    const timer = setTimeout(() => upstream.destroy(new Error('the server did not answer the handshake')), handshakeMs)
    upstream.once('close', () => clearTimeout(timer))
    client.once('close', () => connection.destroy())
    client.once('end', () => setTimeout(() => client.destroy(), halfOpenMs).unref())
    upstream.on('upgrade', (answer, socket, first) => {
      clearTimeout(timer)
      const { upgrade } = answer.headers
      client.write(
        responseHead(answer, ['connection', 'Upgrade', ...(upgrade === undefined ? [] : ['upgrade', upgrade])]),
        'latin1',
      )
      if (first.length > 0) client.write(first)
      if (head.length > 0) socket.write(head)
      pipeline(client, socket, client, () => client.destroy())
      resolve()
    })
    upstream.on('response', (answer) => {
      clearTimeout(timer)
      client.write(responseHead(answer, ['connection', 'close']), 'latin1')
      pipeline(answer, client, () => client.destroy())
      resolve()
    })
    upstream.on('error', reject)
    upstream.end()
  })
}

/** How long a client that has ended its side still receives, whether or not the other end closes. */
const halfOpenMs = 10_000
/** As long as common proxies wait for a response. */
const handshakeMs = 60_000

function responseHead(answer: IncomingMessage, connection: string[]): string {
  const { statusCode: status = 0, statusMessage = '', rawHeaders: headers } = answer
  const kept = responseHeaders({ status, reason: statusMessage, headers }, false)
  return `HTTP/1.1 ${status} ${reasonOf(status, statusMessage)}\r\n${headerLines([...kept, ...connection])}\r\n`
}

/** Returns the reason phrase as it was sent; the standard one where that cannot be relayed. */
function reasonOf(status: number, reason: string): string {
  return /^[\t -~\u0080-\u00ff]*$/.test(reason) ? reason : (STATUS_CODES[status] ?? 'Unknown')
}
