import { surfaces } from '../../src/apis/surfaces.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { createApp, type App } from '../../src/http/app.ts'
import { ClientNetworks } from '../../src/http/client-networks.ts'
import { Connections } from '../../src/http/connections.ts'
import { OpenRequests } from '../../src/http/open-requests.ts'
import { AccountLimits } from '../../src/http/rate-limits.ts'
import { testEngine } from './test-engine.ts'

/** Returns an app for routes that are only described, never called, and therefore need no engine. */
export async function routeApp(env: NodeJS.ProcessEnv = {}): Promise<{ app: App; engine: Engine }> {
  const engine = await testEngine({ env: { CARREL_PUBLIC_URL: undefined, ...env } })
  await engine.driver.close()
  await engine.db.destroy()
  return { app: await bareApp(engine), engine }
}

/** Returns the app of a server without any routes. */
export function bareApp(engine: Engine): Promise<App> {
  return createApp({
    engine,
    surfaces,
    onUpgrade: () => false,
    openRequests: new OpenRequests(),
    accountLimits: new AccountLimits(engine),
    connections: new Connections({ budget: engine.budgets.descriptors, networks: new ClientNetworks([]) }),
  })
}
