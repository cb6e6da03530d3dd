import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { addTopupRoute } from './topup-route.ts'

/** The Pawpado surface: credits. */
export function addPawpadoRoutes(app: App, engine: Engine): void {
  addTopupRoute(app, engine)
}
