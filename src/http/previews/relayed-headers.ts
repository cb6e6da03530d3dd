import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'

/** What holds for one connection alone (RFC 9110, 7.6.1). */
const hopByHop = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * What the server in the computer gets: the request's own headers, and where it came from. A token of Carrel's own, which a
 * client sent to a preview by mistake, stays outside; what else it signs in with is between it and that server.
 */
export function requestHeaders(request: IncomingMessage): OutgoingHttpHeaders {
  const headers = endToEnd(request)
  if (ownToken.test(request.headers.authorization ?? '')) delete headers.authorization
  if (ownToken.test(String(request.headers['x-session-token'] ?? ''))) delete headers['x-session-token']
  if (request.headers['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked'
  const address = request.socket.remoteAddress
  const before = request.headers['x-forwarded-for']
  headers['x-forwarded-for'] = before ? `${String(before)}, ${address}` : address
  headers['x-forwarded-host'] ??= request.headers.host
  headers['x-forwarded-proto'] ??= 'http'
  return headers
}

/** What the client gets. A cookie of a preview holds for that preview's own name alone. */
export function answerHeaders(answer: IncomingMessage): OutgoingHttpHeaders {
  const headers = endToEnd(answer)
  const cookies = answer.headers['set-cookie']
  if (cookies) headers['set-cookie'] = cookies.map((cookie) => cookie.replace(/;\s*domain\s*=[^;]*/gi, ''))
  return headers
}

const ownToken = /(^|,)\s*(Bearer\s+)?(pp_sess_|ak_)/i

function endToEnd(message: IncomingMessage): OutgoingHttpHeaders {
  const { headers, headersDistinct } = message
  const kept: OutgoingHttpHeaders = {}
  for (const name in headers) if (!hopByHop.has(name)) kept[name] = asSent(headers[name], headersDistinct[name])
  if (headers.trailer !== undefined && mayHaveTrailers(headers)) kept['trailer'] = headers.trailer
  for (const name of namedBy(headers.connection)) delete kept[name]
  return kept
}

/** Lines that were sent apart stay apart; of a header that may be there only once, the one that counts. */
function asSent(value: string | string[] | undefined, lines: string[] | undefined): string | string[] | undefined {
  return lines && lines.length > 1 && lines.join(', ') === value ? lines : value
}

/** They come behind chunks alone, and are announced on both sides of the proxy. */
function mayHaveTrailers(headers: IncomingMessage['headers']): boolean {
  return headers['transfer-encoding'] !== undefined && headers['content-length'] === undefined
}

/** Headers that a connection says are its own. */
function namedBy(connection: string | undefined): string[] {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return []
  return connection.toLowerCase().split(/\s*,\s*/)
}
