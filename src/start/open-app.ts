import { computerPage } from '../apis/agent-computer/computer-page/computer-page.ts'
import { dataHeaders } from '../apis/agent-computer/computer-page/page-headers.ts'
import { pageDoor } from '../apis/agent-computer/computer-page/page-visit.ts'
import { ViewOnlyFilter } from '../apis/agent-computer/computer-page/view-only-filter.ts'
import { surfaces } from '../apis/surfaces.ts'
import { SettingError, type Settings } from '../config/settings.ts'
import type { Engine } from '../engine/engine.ts'
import { addSurfaces } from '../http/add-surfaces.ts'
import { createApp, type App } from '../http/app.ts'
import type { UpgradeHandler } from '../http/upgrades.ts'
import { ClientNetworks } from '../http/client-networks.ts'
import { openComputerPages } from '../http/computer-pages.ts'
import { closeApp } from '../http/close-app.ts'
import { Connections } from '../http/connections.ts'
import { AccountLimits } from '../http/rate-limits.ts'
import { OpenRequests } from '../http/open-requests.ts'
import { SocketServer } from '../http/sockets/socket-server.ts'
import { addSshProbe, addUptimeProbes } from './uptime-probes.ts'
import { SshDoors } from '../ssh/ssh-doors.ts'
import { VncDoor } from '../vnc/vnc-door.ts'

export interface OpenApp {
  app: App
  /** Listens as the settings say and stores the actual port in them. Throws a `SettingError` if it cannot listen. */
  listen: () => Promise<void>
  /** Waits for open requests to be answered, and refuses them once the engine has to end. */
  close: () => Promise<void>
}

/** Assembles the HTTP server: every surface's routes and sockets over an engine. */
export async function openApp(engine: Engine): Promise<OpenApp> {
  const openRequests = new OpenRequests()
  const onUpgrade: UpgradeHandler = (...handshake) => sockets.upgrade(...handshake)
  const accountLimits = new AccountLimits(engine)
  const networks = new ClientNetworks(engine.settings.trustedProxies)
  const connections = new Connections({ budget: engine.budgets.descriptors, networks })
  const shared = { engine, openRequests, accountLimits, connections }
  const pages = await openComputerPages({ ...shared, page: computerPage, door: pageDoor(engine), headers: dataHeaders })
  const app = await createApp({ ...shared, surfaces, onUpgrade, pages })
  await addSurfaces(app, engine)
  const sockets = new SocketServer({ engine, accountLimits, connections }, app.catalog.sockets)
  const ssh = new SshDoors(engine, networks)
  const vnc = new VncDoor(engine, networks, () => new ViewOnlyFilter())
  return {
    app,
    listen: async () => {
      await listen(app, engine.settings)
      addUptimeProbes(engine)
      await ssh.open()
      await vnc.open()
      addSshProbe(engine)
    },
    close: async () => {
      ssh.close()
      vnc.close()
      sockets.close()
      await Promise.all([pages.close(), closeApp(app, openRequests, engine.server.closing)])
    },
  }
}

async function listen(app: App, settings: Settings): Promise<void> {
  try {
    await app.listen({ host: settings.host, port: settings.port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new SettingError(
        `Cannot start: port ${settings.port} on ${settings.host} is taken; set CARREL_PORT to a free one`,
      )
    if (code === 'EADDRNOTAVAIL')
      throw new SettingError(
        `Cannot start: this host has no address ${settings.host}; set CARREL_HOST to one that it has`,
      )
    throw error
  }
  const address = app.server.address()
  if (address && typeof address === 'object') settings.port = address.port
}
