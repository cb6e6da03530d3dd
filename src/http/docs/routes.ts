import { readFileSync } from 'node:fs'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../app.ts'
import { openApiDocument } from '../openapi.ts'
import type { Surface } from '../surface.ts'
import type { OpenApiDocument } from './document.ts'
import { indexPage } from './index-page.ts'
import type { DocumentParts } from './parts.ts'
import { skillIndex } from './skill-index.ts'
import { surfaceNamed, surfaceParams } from './surface-params.ts'
import { surfacePage } from './surface-page.ts'
import { surfaceSkill } from './surface-skill.ts'

/** Allows nothing from other origins, and no script or style within the page. */
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

/**
 * Adds the documentation for users and for agents: an index and a document of each surface, generated from the routes.
 */
export function addDocs(app: App, { settings }: Pick<Engine, 'settings'>): void {
  const { surfaces } = app.catalog
  const params = surfaceParams(surfaces)
  const write = cached((origin, surface, forAgents) => {
    const reference = (one: Surface) => openApiDocument(app, one) as OpenApiDocument
    const parts: DocumentParts = { surfaces, reference, origin, settings }
    if (surface) return forAgents ? surfaceSkill(surface, parts) : surfacePage(surface, parts)
    return forAgents ? skillIndex(parts) : indexPage(parts)
  })
  const sendPage = ({ baseUrl }: FastifyRequest, reply: FastifyReply, surface?: Surface) =>
    send(reply.header('content-security-policy', contentPolicy), 'text/html', write(baseUrl, surface, false))
  const sendSkill = ({ baseUrl }: FastifyRequest, reply: FastifyReply, surface?: Surface) =>
    send(reply, 'text/markdown', write(baseUrl, surface, true))
  const publicRoute = (description: string, type: string, answer: string, errors: 'not_found'[] = []) => ({
    public: true,
    documentation: {
      description,
      answers: { 200: { description: answer, content: { [type]: { schema: { type: 'string' } } } } },
      errors,
    },
  })

  const page = 'HTML'
  app.get('/docs', { config: publicRoute('Human-readable documentation', 'text/html', page) }, (request, reply) =>
    sendPage(request, reply),
  )
  app.get(
    '/docs/:surface',
    {
      schema: { params },
      config: publicRoute('Documentation of one API, with a console for trying every route', 'text/html', page, [
        'not_found',
      ]),
    },
    (request, reply) => sendPage(request, reply, surfaceNamed(surfaces, request.params.surface)),
  )
  for (const path of ['/SKILL.md', '/.well-known/skill.md'])
    app.get(
      path,
      {
        config: publicRoute(
          'Instructions for agents that use this server, in the Agent Skills format',
          'text/markdown',
          'Markdown with YAML front matter',
        ),
      },
      (request, reply) => sendSkill(request, reply),
    )
  app.get(
    '/skills/:surface.md',
    {
      schema: { params },
      config: publicRoute('Instructions for agents that use one API', 'text/markdown', 'Markdown', ['not_found']),
    },
    (request, reply) => sendSkill(request, reply, surfaceNamed(surfaces, request.params.surface)),
  )
  for (const [name, type] of Object.entries(assets)) {
    const text = readFileSync(new URL(`assets/${name}`, import.meta.url), 'utf8')
    app.get(`/docs/${name}`, { config: { public: true } }, (_request, reply) => send(reply, type, text))
  }
}

type Write = (origin: string, surface: Surface | undefined, forAgents: boolean) => string

/**
 * Caches documents by origin: routes do not change once the server listens, but documents contain the requested origin.
 */
function cached(write: Write): Write {
  const cache = new Map<string, string>()
  return (origin, surface, forAgents) => {
    const key = `${origin} ${surface?.name} ${forAgents}`
    const found = cache.get(key)
    if (found !== undefined) return found
    const text = write(origin, surface, forAgents)
    if (cache.size < maxCached) cache.set(key, text)
    return text
  }
}

/** Clients can request the server by any number of names. */
const maxCached = 128

const assets = { 'page.css': 'text/css', 'console.js': 'text/javascript', 'icon.svg': 'image/svg+xml' }

function send(reply: FastifyReply, type: string, text: string): FastifyReply {
  return reply
    .type(`${type}; charset=utf-8`)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', 'no-cache')
    .send(text)
}
