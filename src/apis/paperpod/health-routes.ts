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
            'status is ok whenever the server answers. helpers are the parts that the server depends on: the process monitor, lxcfs, the storage pool, the disk of the host and the database. A degraded helper has a reason. desktopImage is there until the image of computers that keep their files has been built.',
        },
      },
    },
    async () => ({
      status: 'ok',
      service: 'carrel',
      version,
      timestamp: isoTime(Date.now()),
      helpers: Object.fromEntries(helpersOf(engine).map(helperOf)),
      ...preparationOf(engine.desktopImage.preparation),
    }),
  )
}

/** The reason of a failure is for the operator, in the log: it can name paths of the host. */
function preparationOf(preparation: Engine['desktopImage']['preparation']) {
  const { state } = preparation
  if (state === 'ready') return {}
  if (state !== 'building') return { desktopImage: { state } }
  return { desktopImage: { state, step: preparation.step, progress: preparation.fraction } }
}

function helperOf({ name, status, sinceMs, reason }: HelperState) {
  return [name, { status, since: isoTime(sinceMs), reason }] as const
}
