import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** A document that is sent many times: its bytes, plain and compressed, and its validator. */
export interface ReadyDocument {
  type: string
  plain: Buffer
  gzip: Buffer
  etag: string
}

export function readyDocument(type: string, text: string): ReadyDocument {
  const plain = Buffer.from(text)
  const etag = `W/"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`
  return { type: `${type}; charset=utf-8`, plain, gzip: gzipSync(plain), etag }
}

/** Sends a document: compressed if the client accepts that, and nothing if the client has it already. */
export function sendReady(
  { headers }: Pick<FastifyRequest, 'headers'>,
  reply: FastifyReply,
  { type, plain, gzip, etag }: ReadyDocument,
  caching = 'no-cache',
): FastifyReply {
  reply
    .type(type)
    .header('etag', etag)
    .header('vary', 'accept-encoding')
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', caching)
  if (headers['if-none-match']?.includes(etag)) return reply.code(304).send()
  const isCompressed = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(String(headers['accept-encoding'] ?? ''))
  return isCompressed ? reply.header('content-encoding', 'gzip').send(gzip) : reply.send(plain)
}
