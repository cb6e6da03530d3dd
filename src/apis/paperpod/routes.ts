import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import type { SocketEndpoint } from '../../http/sockets/socket-server.ts'
import { addBalanceRoutes } from './balance-routes.ts'
import { addDiscoveryRoutes } from './discovery-routes.ts'
import { addDownloadRoutes } from './download-routes.ts'
import { addExecuteRoutes } from './execute-routes.ts'
import { addExposeRoutes } from './expose-routes.ts'
import { addFileRoutes } from './file-routes.ts'
import { addInterpretRoutes } from './interpret-routes.ts'
import { addMemoryRoutes } from './memory-routes.ts'
import { addProcessRoutes } from './process-routes.ts'
import { addRawUploadRoutes } from './raw-upload-routes.ts'
import { Messages } from './sockets/messages.ts'
import { addSocketRoutes } from './socket-routes.ts'
import { addSignInRoutes } from './sign-in-routes.ts'
import { addTopUpRoutes } from './topup-routes.ts'
import { addUploadRoutes } from './upload-routes.ts'
import { addWatchRoutes } from './watch-routes.ts'

/** The PaperPod surface, as its document of 2026-01-26 (API v2) describes it. The answer is its WebSocket. */
export function addPaperpodRoutes(app: App, engine: Engine): SocketEndpoint {
  const messages = new Messages(app)
  addDiscoveryRoutes(app, engine, messages)
  addExecuteRoutes(app, engine)
  addInterpretRoutes(app, engine)
  addFileRoutes(app, engine)
  addUploadRoutes(app, engine)
  addRawUploadRoutes(app, engine)
  addDownloadRoutes(app, engine)
  addWatchRoutes(app, engine)
  addProcessRoutes(app, engine)
  addExposeRoutes(app, engine)
  addMemoryRoutes(app, engine)
  addBalanceRoutes(app, engine)
  addTopUpRoutes(app, engine)
  addSignInRoutes(app, engine)
  return addSocketRoutes(app, engine, messages)
}
