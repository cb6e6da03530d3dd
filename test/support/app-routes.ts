import { addSurfaces } from '../../src/http/add-surfaces.ts'
import { routeApp } from './route-app.ts'

export interface AppRoute {
  method: string
  url: string
  bodyLimit: number
  isPublic: boolean
  /** True for a route that takes the token of an access session. */
  takesSession: boolean
  schema: Record<string, unknown>
  /** The documented content type, if it is not JSON. */
  contentType: string | undefined
}

/** Returns every route of the app, as registered, whether or not it is documented. */
export async function appRoutes(env: NodeJS.ProcessEnv = {}): Promise<AppRoute[]> {
  return (await describeApp(env)).routes
}

/** Returns the addresses of the app's WebSockets. Each is a route as well. */
export async function appSockets(): Promise<string[]> {
  return (await describeApp({})).sockets
}

/** Returns the name of a route in tables, such as `GET /v1/workspaces/:workspaceId`. */
export function nameOf({ method, url }: Pick<AppRoute, 'method' | 'url'>): string {
  return `${method} ${url}`
}

/** Registering needs no engine. */
async function describeApp(env: NodeJS.ProcessEnv): Promise<{ routes: AppRoute[]; sockets: string[] }> {
  const { app, engine } = await routeApp(env)
  const routes: AppRoute[] = []
  app.addHook('onRoute', ({ method, url, bodyLimit, config, schema }) => {
    for (const one of [method].flat())
      routes.push({
        method: one,
        url,
        bodyLimit: bodyLimit ?? app.initialConfig.bodyLimit!,
        isPublic: config?.public === true,
        takesSession: config?.callerOf !== undefined,
        schema: { ...schema },
        contentType: config?.documentation?.contentType,
      })
  })
  await addSurfaces(app, engine)
  await app.ready()
  await app.close()
  return { routes, sockets: app.catalog.sockets.map(({ path }) => path) }
}
