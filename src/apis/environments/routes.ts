import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { addAuthRoutes } from './auth-routes.ts'
import { addUserRoutes } from './user-routes.ts'

/** The environments surface: sign-in by GitHub, users and their keys. */
export function addEnvironmentsRoutes(app: App, engine: Engine): void {
  addAuthRoutes(app, engine)
  addUserRoutes(app, engine)
}
