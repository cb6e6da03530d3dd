import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'

/** What holds for one connection alone (RFC 9110, 7.6.1). Trailers are sent on without being announced. */
const hopByHop = [
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
]

/** What the server in the computer gets: the request's own headers, and where it came from. */
export function requestHeaders(request: IncomingMessage): OutgoingHttpHeaders {
  const headers = endToEnd(request)
  if (request.headers['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked'
  headers['x-forwarded-for'] = [request.headers['x-forwarded-for'], request.socket.remoteAddress]
    .flat()
    .filter(Boolean)
    .join(', ')
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

function endToEnd(message: IncomingMessage): OutgoingHttpHeaders {
  const named = (message.headers.connection ?? '').toLowerCase().split(/\s*,\s*/)
  const dropped = new Set([...hopByHop, ...named])
  return Object.fromEntries(Object.entries(message.headers).filter(([name]) => !dropped.has(name)))
}
