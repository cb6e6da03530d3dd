import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { addAccountRoutes } from './account-routes.ts'
import { addCreditRoutes } from './credit-routes.ts'
import { addHealthRoute } from './health-route.ts'
import { addSessionRoute } from './session-route.ts'
import { addSettingsRoutes } from './settings-routes.ts'
import { addTopupRoute } from './topup-route.ts'

/** The Pawpado surface, below `/api/v1/`: credit, settings, who one is, and how to leave. */
export function addPawpadoRoutes(app: App, engine: Engine): void {
  addCreditRoutes(app, engine)
  addTopupRoute(app, engine)
  addSettingsRoutes(app, engine)
  addSessionRoute(app, engine)
  addAccountRoutes(app, engine)
  addHealthRoute(app)
}
