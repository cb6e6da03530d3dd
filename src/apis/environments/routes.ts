import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { addAuthRoutes } from './auth-routes.ts'
import { addBillingRoutes } from './billing-routes.ts'
import { addUserRoutes } from './user-routes.ts'
import { addWebhookRoutes } from './webhook-routes.ts'

/** The environments surface: sign-in by GitHub, users and their keys, billing. */
export function addEnvironmentsRoutes(app: App, engine: Engine): void {
  addAuthRoutes(app, engine)
  addUserRoutes(app, engine)
  addBillingRoutes(app, engine)
  addWebhookRoutes(app, engine)
}
