import { request as httpRequest, STATUS_CODES, type IncomingMessage } from 'node:http'
import { pipeline, type Duplex } from 'node:stream'
import { targetWithoutTokens, type TokenFinder } from './without-tokens.ts'
import { answerHeaders, headerLines, requestHeaders } from './relayed-headers.ts'

interface Options {
  /** Into a computer. */
  connection: Duplex
  request: IncomingMessage
  client: Duplex
  /** What came behind the handshake already. */
  head: Buffer
  ownTokens: TokenFinder
}

/**
 * Sends a handshake on over a connection into a computer. Once it is accepted both ends speak to each other, and the
 * promise resolves; an answer that refuses is sent on, and nothing may come behind it on the same connection. Rejects
 * when there is no answer.
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
    // A client that leaves before the answer is not heard of, as nobody reads from it yet.
    const timer = setTimeout(() => upstream.destroy(new Error('it did not answer the handshake')), handshakeMs)
    upstream.once('close', () => clearTimeout(timer))
    client.once('close', () => connection.destroy())
    client.once('end', () => setTimeout(() => client.destroy(), halfOpenMs).unref())
    upstream.on('upgrade', (answer, socket, first) => {
      clearTimeout(timer)
      const { upgrade } = answer.headers
      client.write(
        answerHead(answer, ['connection', 'Upgrade', ...(upgrade === undefined ? [] : ['upgrade', upgrade])]),
        'latin1',
      )
      if (first.length > 0) client.write(first)
      if (head.length > 0) socket.write(head)
      pipeline(client, socket, client, () => client.destroy())
      resolve()
    })
    upstream.on('response', (answer) => {
      clearTimeout(timer)
      client.write(answerHead(answer, ['connection', 'close']), 'latin1')
      pipeline(answer, client, () => client.destroy())
      resolve()
    })
    upstream.on('error', reject)
    upstream.end()
  })
}

/** A client that has said all gets what the other end still has to say for so long, whether that end closes or not. */
const halfOpenMs = 10_000
/** As long as common proxies wait for an answer. */
const handshakeMs = 60_000

function answerHead(answer: IncomingMessage, connection: string[]): string {
  const { statusCode: status = 0, statusMessage = '', rawHeaders: headers } = answer
  const kept = answerHeaders({ status, reason: statusMessage, headers }, false)
  return `HTTP/1.1 ${status} ${reasonOf(status, statusMessage)}\r\n${headerLines([...kept, ...connection])}\r\n`
}

/** The words beside the status, as they were sent; those of the standard for what cannot be sent on. */
function reasonOf(status: number, reason: string): string {
  return /^[\t -~\u0080-\u00ff]*$/.test(reason) ? reason : (STATUS_CODES[status] ?? 'Unknown')
}
