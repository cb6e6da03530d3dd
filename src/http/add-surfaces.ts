import type { Engine } from '../engine/engine.ts'
import type { App } from './app.ts'
import { addMetrics } from './metrics.ts'
import { collectOperations } from './openapi.ts'

/** Adds the routes and WebSockets of all surfaces of the app, by topic: the documents are made from them. */
export async function addSurfaces(app: App, engine: Engine): Promise<void> {
  await collectOperations(app)
  // Counts the requests of all of them.
  addMetrics(app, engine)
  for (const surface of app.catalog.surfaces)
    for (const topic of surface.topics)
      await app.register(async (scope: App) => {
        scope.addHook('onRoute', (route) => app.catalog.add(route, surface, topic))
        for (const addRoutes of topic.routes) addRoutes(scope, engine)
      })
}
