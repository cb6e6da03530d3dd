import type { Static } from 'typebox'
import { requireComputer } from '../../engine/computers/access/open-computer.ts'
import { listPorts, publishPort, unpublishPort } from '../../engine/computers/ports/publish-port.ts'
import type { Engine } from '../../engine/engine.ts'
import type { PublishedPortFacts } from '../../engine/types.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { previewUrls } from '../../http/previews/preview-name.ts'
import { isoTime } from '../iso-time.ts'
import { computerParams } from './computer-schemas.ts'
import { portAnswer, portParams, portsAnswer, publishPortBody } from './port-schemas.ts'

/** Adds the published ports of computers: stable public addresses, for everybody or for members. */
export function addPortRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/computers/:id/ports',
    {
      schema: { params: computerParams, response: { 200: portsAnswer } },
      config: { documentation: { description: 'List published ports', errors: ['not_found', 'other_node'] } },
    },
    async ({ caller, params }) => {
      const ports = await listPorts(engine, await requireComputer(engine, caller, params.id, 'look'))
      return { ports: ports.map((row) => portOf(engine, row)) }
    },
  )
  app.post(
    '/v1/computers/:id/ports',
    {
      schema: { params: computerParams, body: publishPortBody, response: { 202: portAnswer } },
      config: {
        idempotent: true,
        documentation: {
          description: 'Create or update a published port',
          example: { port: 8080, name: 'web', visibility: 'public' },
          errors: ['not_found', 'limit_reached', 'other_node'],
          notes:
            'A private port opens for tokens of the workspace, in "Authorization: Bearer <token>" or X-Session-Token, and for browser sessions of the computer. A change holds at once, also for open connections.',
        },
      },
    },
    async ({ body, caller, params }, reply) => {
      const computer = await requireComputer(engine, caller, params.id, 'run')
      void reply.status(202)
      return { port: portOf(engine, await publishPort(engine, computer, body)) }
    },
  )
  app.delete(
    '/v1/computers/:id/ports/:port',
    {
      schema: { params: portParams, response: { 202: portAnswer } },
      config: { documentation: { description: 'Delete a published port', errors: ['not_found', 'other_node'] } },
    },
    async ({ caller, params }, reply) => {
      const computer = await requireComputer(engine, caller, params.id, 'run')
      const deleted = await unpublishPort(engine, computer, portNumberOf(params.port))
      void reply.status(202)
      return { port: { ...portOf(engine, deleted), state: 'deleting' as const } }
    },
  )
}

/** Returns the port that a path names. Throws `not_found` for what is none. */
export function portNumberOf(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text)
  throw new CarrelError('not_found', `Cannot delete port ${JSON.stringify(text)}: it is not published`)
}

/** Returns a published port as clients see it. */
export function portOf(
  { settings }: Pick<Engine, 'settings'>,
  row: PublishedPortFacts,
): Static<typeof portAnswer>['port'] {
  const { computer_id, port, name, visibility, created_at, updated_at } = row
  return {
    id: `${computer_id}-${port}`,
    computer_id,
    port,
    name: name ?? '',
    visibility,
    state: 'ready',
    public_url: previewUrls(settings, computer_id, port).url,
    failure_reason: null,
    created_at: isoTime(created_at),
    updated_at: isoTime(updated_at),
  }
}
