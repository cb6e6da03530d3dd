import type { Engine } from '../engine/engine.ts'
import type { App } from '../http/app.ts'
import { addDocs } from '../http/docs/routes.ts'
import { addMetrics } from '../http/metrics.ts'
import { addOpenApi } from '../http/openapi.ts'
import type { SocketEndpoint } from '../http/sockets/socket-server.ts'
import { addAgentComputerRoutes } from './agent-computer/routes.ts'
import { addIssuerRoutes } from './carrel/issuer-routes.ts'
import { addPaymentPages } from './carrel/payment-routes.ts'
import { addSessionRoutes } from './carrel/session-routes.ts'
import { execEndpoint } from './carrel/exec-routes.ts'
import { addUsageRoutes } from './agent-computer/usage-routes.ts'
import { addWorkspaceRoutes } from './carrel/workspace-routes.ts'
import { addEnvironmentsRoutes } from './environments/routes.ts'
import { errorEnvelopes } from './error-envelopes.ts'
import { errorBody } from './paperpod/errors.ts'
import { addPaperpodRoutes } from './paperpod/routes.ts'
import { addPawpadoRoutes } from './pawpado/routes.ts'

/** Every route that there is, of all surfaces. Gives the WebSockets beside them. */
export async function addAllRoutes(app: App, engine: Engine): Promise<SocketEndpoint[]> {
  await addOpenApi(app, errorEnvelopes)
  addMetrics(app, engine)
  const paperpodSocket = addPaperpodRoutes(app, engine)
  addUsageRoutes(app, engine)
  addSessionRoutes(app, engine)
  addWorkspaceRoutes(app, engine)
  addEnvironmentsRoutes(app, engine)
  addAgentComputerRoutes(app, engine)
  addPawpadoRoutes(app, engine)
  addPaymentPages(app, engine)
  addIssuerRoutes(app, engine)
  addDocs(app, engine)
  return [execEndpoint(engine, errorBody), paperpodSocket]
}
