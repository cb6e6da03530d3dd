import { readFileSync } from 'node:fs'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from '../app.ts'
import { baseUrls } from '../base-url.ts'
import type { OpenApiDocument } from './document.ts'
import { docsPage } from './page.ts'
import { skillPage } from './skill.ts'
import type { Context } from '../../engine/context.ts'

/** Nothing from anywhere else, and no script or style within the page. */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The documentation for people and for agents, made from the routes: added after them. */
export function addDocs(app: App, engine: Pick<Context, 'settings' | 'server'>): void {
  const baseUrl = baseUrls(engine)
  const page = (make: typeof docsPage) => {
    // The routes don't change once the server listens; what differs is by which address it is called.
    const made = new Map<string, string>()
    return (request: FastifyRequest) => {
      const origin = baseUrl(request)
      const known = made.get(origin)
      if (known !== undefined) return known
      const text = make(app.swagger() as unknown as OpenApiDocument, origin, engine.settings)
      if (made.size < maxOrigins) made.set(origin, text)
      return text
    }
  }
  const docs = page(docsPage)
  const skill = page(skillPage)

  app.get(
    '/docs',
    {
      config: {
        public: true,
        documentation: {
          description: 'Human-readable documentation',
          returns: 'HTML',
          answers: { 200: textAnswer('text/html', 'A page with a console to try every route') },
        },
      },
    },
    (request, reply) => send(reply.header('content-security-policy', contentPolicy), 'text/html', docs(request)),
  )
  for (const path of ['/SKILL.md', '/.well-known/skill.md'])
    app.get(
      path,
      {
        config: {
          public: true,
          documentation: {
            description: 'How an agent uses this server, in the Agent Skills format',
            returns: 'Markdown with YAML front matter',
            answers: { 200: textAnswer('text/markdown', 'Markdown with YAML front matter') },
          },
        },
      },
      (request, reply) => send(reply, 'text/markdown', skill(request)),
    )
  for (const [name, type] of Object.entries(assets)) {
    const text = readFileSync(new URL(`assets/${name}`, import.meta.url), 'utf8')
    app.get(`/docs/${name}`, { config: { public: true } }, (_request, reply) => send(reply, type, text))
  }
}

/** A client can ask by as many names as it likes. */
const maxOrigins = 16

const assets = { 'page.css': 'text/css', 'console.js': 'text/javascript', 'icon.svg': 'image/svg+xml' }

function textAnswer(type: string, description: string): object {
  return { description, content: { [type]: { schema: { type: 'string' } } } }
}

function send(reply: FastifyReply, type: string, text: string): FastifyReply {
  return reply
    .type(`${type}; charset=utf-8`)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', 'no-cache')
    .send(text)
}
