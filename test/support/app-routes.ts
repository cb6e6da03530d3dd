import { addSurfaces } from '../../src/http/add-surfaces.ts'
import { routeApp } from './route-app.ts'

export interface AppRoute {
  method: string
  url: string
  bodyLimit: number
  isPublic: boolean
  schema: Record<string, unknown>
  /** The documented content type, if it is not JSON. */
  contentType: string | undefined
}

/** Returns every route of the app, as registered. Registering needs no engine. */
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
