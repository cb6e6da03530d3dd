import { readFileSync } from 'node:fs'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../app.ts'
import { openApiDocument } from '../openapi.ts'
import type { Surface } from '../surface.ts'
import type { OpenApiDocument } from './document.ts'
import { indexPage } from './index-page.ts'
import type { DocumentParts } from './parts.ts'
import { readyDocument, sendReady, type ReadyDocument } from './ready-document.ts'
import { searchIndex } from './search-index.ts'
import { skillIndex } from './skill-index.ts'
import { surfaceNamed, surfaceParams } from './surface-params.ts'
import { surfacePage } from './surface-page.ts'
import { surfaceSkill } from './surface-skill.ts'

/** Allows nothing from other origins, and no script or style within the page. */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  'img-src data: blob:',
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
  const reference = (one: Surface) => openApiDocument(app, one) as OpenApiDocument
  const index = once(() => searchIndex({ surfaces, reference, settings }))
  const search = once(() => readyDocument('application/json', index().text))
  const document = cached((origin, surface, forAgents) => {
    const parts: DocumentParts = { surfaces, reference, origin, settings, searchUrl: index().url }
    if (forAgents) return readyDocument('text/markdown', surface ? surfaceSkill(surface, parts) : skillIndex(parts))
    return readyDocument('text/html', surface ? surfacePage(surface, parts) : indexPage(parts))
  })
  const sendPage = (request: FastifyRequest, reply: FastifyReply, surface?: Surface) =>
    sendReady(
      request,
      reply.header('content-security-policy', contentPolicy),
      document(request.baseUrl, surface, false),
    )
  const sendSkill = (request: FastifyRequest, reply: FastifyReply, surface?: Surface) =>
    sendReady(request, reply, document(request.baseUrl, surface, true))
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
    const asset = readyDocument(type, readFileSync(new URL(`assets/${name}`, import.meta.url), 'utf8'))
    app.get(`/docs/${name}`, { config: { public: true } }, (request, reply) => sendReady(request, reply, asset))
  }
  // The pages name the index with a version in its query, so that browsers load it once.
  app.get('/docs/search.json', { config: { public: true } }, (request, reply) =>
    sendReady(request, reply, search(), index().url.endsWith(request.url) ? forever : 'no-cache'),
  )
}

type Write = (origin: string, surface: Surface | undefined, forAgents: boolean) => ReadyDocument

/**
 * Caches documents by origin: routes do not change once the server listens, but documents contain the requested origin.
 */
function cached(write: Write): Write {
  const cache = new Map<string, ReadyDocument>()
  return (origin, surface, forAgents) => {
    const key = `${origin} ${surface?.name} ${forAgents}`
    const found = cache.get(key)
    if (found !== undefined) return found
    const document = write(origin, surface, forAgents)
    if (cache.size < maxCached) cache.set(key, document)
    return document
  }
}

/** Clients can request the server by any number of names. */
const maxCached = 128

/** What is made at its first use: by then all routes are known. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}

const forever = 'public, max-age=31536000, immutable'
const assets = {
  'page.css': 'text/css',
  'console.js': 'text/javascript',
  'samples.js': 'text/javascript',
  'search.js': 'text/javascript',
}
