import { addSurfaces } from '../../src/http/add-surfaces.ts'
import { routeApp } from './route-app.ts'

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
export async function appRoutes(env: NodeJS.ProcessEnv = {}): Promise<AppRoute[]> {
  const { app, engine } = await routeApp(env)
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
  await addSurfaces(app, engine)
  await app.ready()
  await app.close()
  return routes
}
