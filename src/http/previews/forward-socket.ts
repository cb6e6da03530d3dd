import { request as httpRequest, type IncomingMessage } from 'node:http'
import { pipeline, type Duplex } from 'node:stream'
import { reasonOf } from './reason-of.ts'
import { answerHeaders, requestHeaders } from './relayed-headers.ts'

/**
 * Sends a handshake on over a connection into a computer. Once it is accepted both ends speak to each other, and the
 * promise resolves; an answer that refuses is sent on, and nothing may come behind it on the same connection. Rejects
 * when there is no answer.
 */
export function forwardSocket(
  connection: Duplex,
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { method, url: path } = request
    const headers = { ...requestHeaders(request), connection: 'Upgrade', upgrade: request.headers.upgrade }
    const upstream = httpRequest({ createConnection: () => connection, method, path, headers, setHost: false })
    client.once('close', () => connection.destroy())
    client.once('end', () => setTimeout(() => client.destroy(), halfOpenMs).unref())
    upstream.on('upgrade', (answer, socket, first) => {
      client.write(answerHead(answer, { connection: 'Upgrade', upgrade: answer.headers.upgrade }), 'latin1')
      if (first.length > 0) client.write(first)
      if (head.length > 0) socket.write(head)
      pipeline(client, socket, client, () => client.destroy())
      resolve()
    })
    upstream.on('response', (answer) => {
      client.write(answerHead(answer, { connection: 'close', trailer: undefined }), 'latin1')
      pipeline(answer, client, () => client.destroy())
      resolve()
    })
    upstream.on('error', reject)
    upstream.end()
  })
}

/** A client that has said all gets what the other end still has to say for so long, whether that end closes or not. */
const halfOpenMs = 10_000

function answerHead(answer: IncomingMessage, connection: Record<string, string | undefined>): string {
  const lines = Object.entries({ ...answerHeaders(answer), ...connection }).flatMap(([name, value]) =>
    [value ?? []].flat().map((one) => `${name}: ${one}\r\n`),
  )
  return `HTTP/1.1 ${answer.statusCode} ${reasonOf(answer)}\r\n${lines.join('')}\r\n`
}
