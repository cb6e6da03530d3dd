import type { Engine } from '../../engine/engine.ts'
import { helpersOf } from '../../engine/helpers.ts'
import type { HelperState } from '../../helper-states.ts'
import type { App } from '../../http/app.ts'
import { version } from '../../version.ts'
import { isoTime } from '../iso-time.ts'
import { healthAnswer } from './schemas/server.ts'

export function addHealthRoutes(app: App, engine: Engine): void {
  app.get(
    '/health',
    {
      schema: { response: { 200: healthAnswer } },
      config: {
        public: true,
        documentation: {
          description: 'Health check',
          notes:
            'status is ok whenever the server answers. helpers are the parts that the server depends on: the process monitor, lxcfs, the storage pool, the disk of the host and the database. A degraded helper has a reason.',
        },
      },
    },
    async () => ({
      status: 'ok',
      service: 'carrel',
      version,
      timestamp: isoTime(Date.now()),
      helpers: Object.fromEntries(helpersOf(engine).map(helperOf)),
    }),
  )
}

function helperOf({ name, status, sinceMs, reason }: HelperState) {
  return [name, { status, since: isoTime(sinceMs), reason }] as const
}
