import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { limits } from '../config/limits.ts'
import type { Settings } from '../config/settings.ts'
import { newApp, type App, type AppParts } from './app.ts'
import { patterns } from './patterns.ts'
import { nameUnder, originUnder } from './previews/preview-name.ts'
import { SocketServer, type SocketDoor } from './sockets/socket-server.ts'
import { StalledBodies } from './stalled-bodies.ts'
import type { Surface } from './surface.ts'
import type { UpgradeHandler } from './upgrades.ts'

/** What serves the pages of computers, each at an origin of its own under the preview domain. */
export interface ComputerPages {
  /** Returns whether a Host header names the page of a computer, whether there is such a computer or not. */
  isAt: (host: string | undefined) => boolean
  handle: (request: IncomingMessage, response: ServerResponse) => void
  upgrade: UpgradeHandler
  /** Asks the clients of WebSockets to reconnect, and refuses requests from now on. */
  close: () => Promise<void>
}

interface Parts extends Omit<AppParts, 'surfaces'> {
  /** The routes and the errors of a page. */
  page: Surface
  /** Decides who may open a WebSocket of a page. */
  door: SocketDoor
  /** The headers of every answer that has none of its own by these names, refusals of unknown addresses included. */
  headers: Readonly<Record<string, string>>
}

/** Assembles an app of its own for the pages: nothing that the origin of the server has is at theirs. */
export async function openComputerPages({ page, door, headers, ...parts }: Parts): Promise<ComputerPages> {
  const { engine, accountLimits, connections } = parts
  let handle: ComputerPages['handle']
  const app = newApp(
    { ...parts, surfaces: [page], bodies: new StalledBodies(limits.stalledBodyMs) },
    // Never listens: requests come from the server in front.
    (handler) => createServer((handle = handler)),
  )
  for (const topic of page.topics)
    await app.register(async (scope: App) => {
      scope.addHook('onRoute', (route) => app.catalog.add(route, page, topic))
      for (const addRoutes of topic.routes) addRoutes(scope, engine)
    })
  await app.ready()
  const sockets = new SocketServer({ engine, accountLimits, connections, door }, app.catalog.sockets)
  return {
    isAt: (host) => pageLabel(host, engine.settings.previewDomain) !== undefined,
    handle: (request, response) => {
      // Before anything answers: the refusal of a malformed address passes no hook.
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
      handle(request, response)
    },
    upgrade: (...handshake) => sockets.upgrade(...handshake),
    close: async () => {
      sockets.close()
      await app.close()
    },
  }
}

/** Returns the handle or the id in the name of a page; undefined when a Host header names none. */
export function pageLabel(host: string | undefined, domain: string): string | undefined {
  const name = nameUnder(host, domain)
  return name !== undefined && name.length <= maxLabelLength && label.test(name) ? name : undefined
}

/** Returns the origin of the page of a computer: by its handle, or by its id where the handle is no DNS label. */
export function pageOrigin(
  settings: Pick<Settings, 'previewDomain' | 'port' | 'publicUrl'>,
  { id, name }: { id: string; name: string | null },
): string {
  const isLabel = name !== null && name.length <= maxLabelLength && label.test(name)
  return originUnder(settings, isLabel ? name : id)
}

const label = new RegExp(patterns.dnsLabel.source)
const maxLabelLength = 63
