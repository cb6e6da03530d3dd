import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { portToken } from '../../../engine/computers/access-sessions/port-token.ts'
import { openPorts } from '../../../engine/computers/ports/open-ports.ts'
import { listPorts, publishPort, unpublishPort } from '../../../engine/computers/ports/publish-port.ts'
import type { AccessibleComputer } from '../../../engine/computers/access/open-computer.ts'
import type { Engine } from '../../../engine/engine.ts'
import { hashOf } from '../../../engine/identity/accounts/tokens.ts'
import { CarrelError } from '../../../errors.ts'
import type { App } from '../../../http/app.ts'
import { previewUrls } from '../../../http/previews/preview-name.ts'
import { object } from '../../schema.ts'
import { portNumberOf } from '../port-routes.ts'
import { publishPortBody } from '../port-schemas.ts'
import { pageCredential } from './page-cookie.ts'
import { openFor, visitOf } from './page-visit.ts'

const params = object({ port: Type.String({ minLength: 1, maxLength: 20 }) })

/** Adds the ports of the computer: the published ones, and those on which programs listen. */
export function addPortRoutes(app: App, engine: Engine): void {
  app.get('/api/ports', { config: openFor(engine, 'everything') }, async (request) => ({
    ports: await portsOf(engine, visitOf(request).session.computer),
  }))
  app.get(
    '/api/ports/:port/open',
    { schema: { params }, config: openFor(engine, 'everything') },
    async (request, reply) => {
      const url = await entranceTo(engine, request, request.params.port)
      return reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }).redirect(url, 303)
    },
  )
  app.post(
    '/api/ports',
    { schema: { body: publishPortBody }, config: openFor(engine, 'everything') },
    async (request, reply) => {
      const computer = managedComputer(request)
      const { port } = await publishPort(engine, computer, request.body)
      void reply.status(201)
      return { port: (await portsOf(engine, computer)).find((one) => one.port === port) }
    },
  )
  app.delete(
    '/api/ports/:port',
    { schema: { params }, config: openFor(engine, 'everything') },
    async (request, reply) => {
      await unpublishPort(engine, managedComputer(request), portNumberOf(request.params.port))
      return reply.status(204).send()
    },
  )
}

/**
 * Returns the address of a published port for a visitor of the page: that of a private one has a token for
 * this port alone. Throws `not_found` when the port is not published.
 */
async function entranceTo(engine: Engine, request: FastifyRequest, port: string): Promise<string> {
  const { id, computer } = visitOf(request).session
  const row = (await listPorts(engine, computer)).find((one) => String(one.port) === port)
  if (!row) throw new CarrelError('not_found', `Cannot open port ${JSON.stringify(port)}: it is not published`)
  const { url } = previewUrls(engine.settings, computer.id, row.port)
  if (row.visibility !== 'private') return url
  const hash = hashOf(pageCredential(engine.settings, request.headers).token!)
  return `${url}/?access_token=${portToken({ id, hash }, row.port)}`
}

/** Returns the computer whose ports a visitor changes. Throws `forbidden` to one who came by a share: a port outlives it. */
function managedComputer(request: FastifyRequest): AccessibleComputer<'run'> {
  const { share, computer } = visitOf(request).session
  if (!share) return computer
  throw new CarrelError('forbidden', 'Cannot change the ports: whoever came by a share may only use them')
}

async function portsOf(engine: Engine, computer: AccessibleComputer<'run'>) {
  const [published, open] = await Promise.all([listPorts(engine, computer), openPorts(engine, computer)])
  const listening = new Set(open.map(({ port }) => port))
  const known = new Map(published.map((row) => [row.port, row]))
  return [...new Set([...known.keys(), ...listening])]
    .toSorted((a, b) => a - b)
    .map((port) => {
      const row = known.get(port)
      return {
        port,
        name: row?.name ?? '',
        visibility: row?.visibility ?? null,
        url: row ? previewUrls(engine.settings, computer.id, port).url : null,
        listening: listening.has(port),
      }
    })
}
