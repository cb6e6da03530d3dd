import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import type { SocketEndpoint } from '../../http/sockets/socket-server.ts'
import { addBalanceRoute } from './balance-route.ts'
import { addDiscoveryRoutes } from './discovery.ts'
import { addDownloadRoute } from './download-route.ts'
import { addExecuteRoutes } from './execute-routes.ts'
import { addExposeRoute } from './expose-route.ts'
import { addFileRoutes } from './file-routes.ts'
import { addInterpretRoute } from './interpret-route.ts'
import { addMemoryRoutes } from './memory-routes.ts'
import { addProcessRoutes } from './process-routes.ts'
import { addPutFileRoute } from './put-file-route.ts'
import { Messages } from './sockets/messages.ts'
import { addSocketRoutes } from './sockets/socket-routes.ts'
import { addSignInRoutes } from './sign-in-routes.ts'
import { addTopUpRoutes } from './topup-routes.ts'
import { addUploadRoute } from './upload-route.ts'
import { addWatchRoute } from './watch-route.ts'

/** The PaperPod surface, as its document of 2026-01-26 (API v2) describes it. The answer is its WebSocket. */
export function addPaperpodRoutes(app: App, engine: Engine): SocketEndpoint {
  const messages = new Messages(app)
  addDiscoveryRoutes(app, engine, messages)
  addExecuteRoutes(app, engine)
  addInterpretRoute(app, engine)
  addFileRoutes(app, engine)
  addUploadRoute(app, engine)
  addPutFileRoute(app, engine)
  addDownloadRoute(app, engine)
  addWatchRoute(app, engine)
  addProcessRoutes(app, engine)
  addExposeRoute(app, engine)
  addMemoryRoutes(app, engine)
  addBalanceRoute(app, engine)
  addTopUpRoutes(app, engine)
  addSignInRoutes(app, engine)
  return addSocketRoutes(app, engine, messages)
}
