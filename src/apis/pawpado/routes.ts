import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { addAccountRoutes } from './account-routes.ts'
import { addCreditRoutes } from './credit-routes.ts'
import { addHealthRoutes } from './health-routes.ts'
import { addSessionRoutes } from './session-routes.ts'
import { addSettingsRoutes } from './settings-routes.ts'
import { addTopupRoutes } from './topup-routes.ts'

/** The Pawpado surface, below `/api/v1/`: credit, settings, who one is, and how to leave. */
export function addPawpadoRoutes(app: App, engine: Engine): void {
  addCreditRoutes(app, engine)
  addTopupRoutes(app, engine)
  addSettingsRoutes(app, engine)
  addSessionRoutes(app, engine)
  addAccountRoutes(app, engine)
  addHealthRoutes(app)
}
