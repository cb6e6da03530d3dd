import { isoTime } from '../iso-time.ts'
import type { Engine } from '../../engine/engine.ts'
import { openComputer } from '../../engine/computers/access/open-computer.ts'
import { exposePort } from '../../engine/computers/ports/expose-port.ts'
import { openPorts } from '../../engine/computers/ports/open-ports.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { addHint } from '../../http/lenient-requests.ts'
import { previewUrls } from '../../http/previews/preview-name.ts'
import { sandboxErrors } from './errors.ts'
import { closedPortHint } from './process-hints.ts'
import { isReserved, reservedPorts } from './reserved-ports.ts'
import { exposeAnswer, exposeBody } from './schemas/expose.ts'

export function addExposeRoutes(app: App, engine: Engine): void {
  app.post(
    '/expose',
    {
      schema: { body: exposeBody, response: { 200: exposeAnswer } },
      config: {
        idempotent: true,
        documentation: {
          description: 'Expose port and get preview URL',
          notes:
            'Ports 3000-3010 are reserved for system use. Preview URLs are stable across restarts. If nothing that a preview can reach listens on the port yet, the header carrel-hint says so, and on the WebSocket a suggestion.',
          urlFormat: `{port}-{id}-p{port}_v1.${engine.settings.previewDomain}`,
          example: { port: 8080 },
          errors: sandboxErrors,
        },
      },
    },
    async (request, reply) => {
      const { body, caller } = request
      const { port } = body
      if (isReserved(port)) {
        throw new CarrelError(
          'invalid_request',
          `Cannot expose port ${port}: ${reservedPorts} are reserved for system use`,
          { details: { field: 'port' } },
        )
      }
      using computer = await openComputer(engine, caller, { name: body.sessionId ?? '' }, 'run')
      const { exposedAtMs } = await exposePort(engine, computer, port)
      const hint = closedPortHint(port, await openPorts(engine, computer))
      if (hint !== undefined) addHint(request, reply, hint)
      return {
        ...previewUrls(engine.settings, computer.id, port),
        exposedAt: isoTime(exposedAtMs),
        port,
        sessionId: body.sessionId ?? '',
      }
    },
  )
}
