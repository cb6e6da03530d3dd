import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from '../app.ts'
import { designCss, designVersion, iconSvg } from './design.ts'

/** Adds what pages share: the style, at an address that changes with it, and the icon. */
export function addPageAssets(app: App): void {
  const config = { public: true }
  app.get('/assets/design.css', { config }, ({ query }: FastifyRequest, reply) => {
    const isCurrent = (query as { v?: unknown }).v === designVersion
    return send(reply, 'text/css', designCss, isCurrent ? 'public, max-age=31536000, immutable' : 'no-cache')
  })
  for (const path of ['/favicon.svg', '/favicon.ico'])
    app.get(path, { config }, (_request, reply) => send(reply, 'image/svg+xml', iconSvg, 'public, max-age=86400'))
}

function send(reply: FastifyReply, type: string, text: string, caching: string): FastifyReply {
  return reply
    .type(`${type}; charset=utf-8`)
    .header('x-content-type-options', 'nosniff')
    .header('cache-control', caching)
    .send(text)
}
