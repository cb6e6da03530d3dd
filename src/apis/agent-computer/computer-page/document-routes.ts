import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Engine } from '../../../engine/engine.ts'
import { CarrelError } from '../../../errors.ts'
import type { App } from '../../../http/app.ts'
import { html } from '../../../http/docs/html.ts'
import { page, pageHeaders as plainPageHeaders } from '../../../http/pages/page.ts'
import { entranceOf, type Entrance } from '../../../http/previews/visitor-credential.ts'
import { sessionCookie } from './page-cookie.ts'
import { assetHeaders, pageHeaders } from './page-headers.ts'
import { enterPage, type PageVisit } from './page-visit.ts'
import { WebFiles } from './web-files.ts'

/** Adds the page itself, which is the same for everybody, and the entrance by a link with a token. */
export function addDocumentRoutes(app: App, engine: Engine): void {
  const files = new WebFiles(new URL('../../../../web/dist', import.meta.url).pathname)
  for (const path of ['/', '/desktop'])
    app.get(path, { config: { public: true } }, async (request, reply) => {
      const entrance = entranceOf(request.raw.url)
      if (entrance) return admit(engine, request, reply, entrance)
      const document = await files.page()
      if (document) return reply.headers(pageHeaders).send(document)
      return reply.status(503).headers(plainPageHeaders).send(notBuilt)
    })
  app.get<{ Params: { name: string } }>('/assets/:name', { config: { public: true } }, async (request, reply) => {
    const file = await files.asset(request.params.name)
    if (!file) throw new CarrelError('route_not_found', 'Cannot find the file: the page has none of this name')
    const isCompressed = file.brotli !== undefined && /\bbr\b/.test(String(request.headers['accept-encoding']))
    void reply.headers({ ...assetHeaders, 'content-type': file.type, vary: 'Accept-Encoding' })
    if (isCompressed) void reply.header('content-encoding', 'br')
    return reply.send(isCompressed ? file.brotli : file.bytes)
  })
}

/**
 * Keeps the token of a link in a cookie of this host, and leads to the address without it. A token that opens nothing
 * leads there, too: the page says what is missing. So does a link that a page of another origin loads as an image or in
 * a frame, which would replace the visitor's session by another one unseen.
 */
async function admit(engine: Engine, { headers }: FastifyRequest, reply: FastifyReply, { token, target }: Entrance) {
  const isVisited = ['document', undefined].includes(headers['sec-fetch-dest'])
  const visit = isVisited && (await visitOfLink(engine, headers.host, token))
  if (visit) void reply.header('set-cookie', sessionCookie(engine.settings, token, visit.session.expiresAtMs))
  const hidden = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }
  return reply.headers(hidden).redirect(target, 303)
}

async function visitOfLink(engine: Engine, host: string | undefined, token: string): Promise<PageVisit | undefined> {
  try {
    return await enterPage(engine, host, token)
  } catch (error) {
    if (error instanceof CarrelError && error.code === 'unauthenticated') return undefined
    throw error
  }
}

const notBuilt = page({
  title: 'The page is not built',
  body: html`<p class="lead">
    This server has no page of computers yet: its files are built when the server is set up. Start it with npm start.
  </p>`,
})
