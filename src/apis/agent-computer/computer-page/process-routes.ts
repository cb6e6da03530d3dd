import { Type } from 'typebox'
import { limits } from '../../../config/limits.ts'
import { killProcess } from '../../../engine/computers/processes/kill-process.ts'
import { listProcesses } from '../../../engine/computers/processes/list-processes.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { App } from '../../../http/app.ts'
import { isoTime } from '../../iso-time.ts'
import { object } from '../../schema.ts'
import { openFor, visitOf } from './page-visit.ts'

const signalBody = object({ signal: Type.Enum(['SIGTERM', 'SIGKILL']) })
const params = object({ id: Type.String({ minLength: 1, maxLength: limits.processIdLength }) })

/** Adds what runs in the computer. */
export function addProcessRoutes(app: App, engine: Engine): void {
  app.get('/api/processes', { config: openFor(engine, 'everything') }, async (request) => {
    const { computer } = visitOf(request).session
    const rows = await listProcesses(engine, computer, { all: false })
    return {
      processes: rows
        .filter(({ state }) => state !== 'ended')
        .map(({ id, pid, command, kind, started_at }) => ({
          id,
          pid,
          command,
          kind,
          user: computer.image.user,
          started_at: isoTime(started_at),
        })),
    }
  })
  app.post(
    '/api/processes/:id/signal',
    { schema: { params, body: signalBody }, config: openFor(engine, 'everything') },
    async (request, reply) => {
      await killProcess(engine, visitOf(request).session.computer, request.params.id, request.body.signal)
      return reply.status(204).send()
    },
  )
}
