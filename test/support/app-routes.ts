import { pino } from 'pino'
import { addAllRoutes } from '../../src/apis/all-routes.ts'
import { errorForms } from '../../src/apis/error-forms.ts'
import { readSettings } from '../../src/config/settings.ts'
import { DescriptorBudget } from '../../src/engine/descriptors/budget.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { createApp } from '../../src/http/app.ts'
import { ClientNetworks } from '../../src/http/client-networks.ts'
import { Connections } from '../../src/http/connections.ts'
import { OpenRequests } from '../../src/http/open-requests.ts'
import { AccountLimits } from '../../src/http/rate-limits.ts'

export interface AppRoute {
  method: string
  url: string
  bodyLimit: number
  isPublic: boolean
  schema: Record<string, unknown>
  /** What it says that it takes, where that is no JSON. */
  contentType: string | undefined
}

/** Every route of the app, as it is told of when it is added. They need no engine for that. */
export async function appRoutes(): Promise<AppRoute[]> {
  const engine = { settings: readSettings({}), log: pino({ level: 'silent' }) } as unknown as Engine
  const app = await createApp({
    engine,
    errorForms,
    onUpgrade: () => false,
    openRequests: new OpenRequests(),
    accountLimits: new AccountLimits(engine),
    connections: new Connections({ budget: new DescriptorBudget(20_000), networks: new ClientNetworks([]) }),
  })
  const routes: AppRoute[] = []
  app.addHook('onRoute', ({ method, url, bodyLimit, config, schema }) => {
    for (const one of [method].flat())
      routes.push({
        method: one,
        url,
        bodyLimit: bodyLimit ?? app.initialConfig.bodyLimit!,
        isPublic: config?.public === true,
        schema: { ...schema },
        contentType: config?.documentation?.contentType,
      })
  })
  await addAllRoutes(app, engine)
  await app.ready()
  await app.close()
  return routes
}
