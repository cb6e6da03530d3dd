import type { IncomingMessage } from 'node:http'
import type { AnswerHead } from './answer-parser.ts'
import { headersWithoutTokens, type TokenFinder } from './without-tokens.ts'

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

/** Of these only the first line counts, as for Node's own readers. */
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
 * What the server in the computer gets, as names and values in turn: the request's own headers, and where it came from. A token of
 * Carrel's own, which a client sent to a preview by mistake, stays outside; what else it signs in with is between it and that server.
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
 * What the client gets, as names and values in turn. A cookie of a preview holds for that preview's own name alone. Trailers are announced
 * only `withTrailers`.
 */
export function answerHeaders({ headers }: AnswerHead, withTrailers: boolean): string[] {
  const kept = endToEnd(headers, withTrailers)
  for (let i = 0; i < kept.length; i += 2)
    if (kept[i] === 'set-cookie') kept[i + 1] = kept[i + 1]!.replace(/;\s*domain\s*=[^;]*/gi, '')
  return kept
}

/** Names and values in turn, as the lines of a head. */
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
    if (name === 'connection') named = [...(named ?? []), ...namedBy(raw[i + 1]!)]
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

/** They come behind chunks alone, and are announced on both sides of the proxy. */
function mayHaveTrailers(headers: IncomingMessage['headers']): boolean {
  return headers['transfer-encoding'] !== undefined && headers['content-length'] === undefined
}

/** Headers that a connection says are its own. Where a body ends is never that: without its length it would be the next request. */
function namedBy(connection: string): string[] {
  if (connection === 'keep-alive' || connection === 'close') return []
  return connection
    .toLowerCase()
    .split(/\s*,\s*/)
    .filter((name) => name !== 'content-length' && name !== 'host')
}
