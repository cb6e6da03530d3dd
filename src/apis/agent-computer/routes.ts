import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { addBillingRoutes } from './billing-routes.ts'
import { addMeRoutes } from './me-routes.ts'

/** The Agent Computer surface: the account, and what it may spend. */
export function addAgentComputerRoutes(app: App, engine: Engine): void {
  addMeRoutes(app, engine)
  addBillingRoutes(app, engine)
}
