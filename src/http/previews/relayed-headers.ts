import type { IncomingMessage } from 'node:http'
import type { ResponseHead } from './response-parser.ts'
import { headersWithoutTokens, type TokenFinder } from './without-tokens.ts'

/** Headers that apply to one connection only (RFC 9110, section 7.6.1). */
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

/** Headers of which only the first line counts, as in Node's own parser. */
const single = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'referer',
  'retry-after',
  'server',
  'user-agent',
])

/**
 * Returns what the server in the computer receives, as names and values alternately: the request's own headers, and
 * where the request came from. Carrel's own tokens, which a client sent to a preview by mistake, are removed; any other
 * credentials are between the client and that server.
 */
export function requestHeaders(
  request: Pick<IncomingMessage, 'rawHeaders' | 'headers' | 'socket'>,
  ownTokens: TokenFinder,
): string[] {
  const { headers, rawHeaders, socket } = request
  const kept = headersWithoutTokens(endToEnd(rawHeaders, mayHaveTrailers(headers)), ownTokens)
  if (headers['transfer-encoding'] !== undefined) kept.push('transfer-encoding', 'chunked')
  const address = socket.remoteAddress ?? ''
  const before = headers['x-forwarded-for']
  if (before !== undefined) drop(kept, 'x-forwarded-for')
  const isFirst = before === undefined || ownTokens.isIn(String(before))
  kept.push('x-forwarded-for', isFirst ? address : `${String(before)}, ${address}`)
  if (headers['x-forwarded-host'] === undefined && headers.host !== undefined)
    kept.push('x-forwarded-host', headers.host)
  if (headers['x-forwarded-proto'] === undefined) kept.push('x-forwarded-proto', 'http')
  return kept
}

/**
 * Returns what the client receives, as names and values alternately. A cookie of a preview is limited to that preview's
 * own host name. Trailers are announced only `withTrailers`.
 */
export function responseHeaders({ headers }: ResponseHead, withTrailers: boolean): string[] {
  const kept = endToEnd(headers, withTrailers)
  for (let i = 0; i < kept.length; i += 2)
    if (kept[i] === 'set-cookie') kept[i + 1] = kept[i + 1]!.replace(/;\s*domain\s*=[^;]*/gi, '')
  return kept
}

/** Returns alternating names and values as the header lines of a message. */
export function headerLines(headers: string[]): string {
  let lines = ''
  for (let i = 0; i < headers.length; i += 2) lines += `${headers[i]}: ${headers[i + 1]}\r\n`
  return lines
}

function endToEnd(raw: string[], withTrailers: boolean): string[] {
  const kept: string[] = []
  let named: string[] | undefined
  let seen: Set<string> | undefined
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    if (name === 'connection') named = [...(named ?? []), ...namedInConnection(raw[i + 1]!)]
    if (hopByHop.has(name) && !(name === 'trailer' && withTrailers)) continue
    if (single.has(name)) {
      seen ??= new Set()
      if (seen.has(name)) continue
      seen.add(name)
    }
    kept.push(name, raw[i + 1]!)
  }
  for (const name of named ?? []) drop(kept, name)
  return kept
}

function drop(headers: string[], name: string): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) if (headers[i] === name) headers.splice(i, 2)
}

/** Whether trailers can follow the body: only after chunks, on either side of the proxy. */
function mayHaveTrailers(headers: IncomingMessage['headers']): boolean {
  return headers['transfer-encoding'] !== undefined && headers['content-length'] === undefined
}

/**
 * Returns the headers that `Connection` names as hop-by-hop; never Content-Length, without which the body would be read
 * as the next request.
 */
function namedInConnection(connection: string): string[] {
  if (connection === 'keep-alive' || connection === 'close') return []
  return connection
    .toLowerCase()
    .split(/\s*,\s*/)
    .filter((name) => name !== 'content-length' && name !== 'host')
}
