import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pino, type Logger } from 'pino'
import { CarrelSockets } from './apis/carrel/sockets.ts'
import { errorBody } from './apis/paperpod/errors.ts'
import { addPaperpodRoutes } from './apis/paperpod/routes.ts'
import { readSettings, SettingError, type Settings } from './config/settings.ts'
import { lockDataDirectory } from './data-lock.ts'
import { openDatabase } from './db/open.ts'
import { LocalDriver } from './drivers/local/local-driver.ts'
import { ownerToken } from './engine/accounts/owner.ts'
import { openEngine } from './engine/open-engine.ts'
import { createApp } from './http/app.ts'
import { addMetrics } from './http/metrics.ts'
import { addOpenApi } from './http/openapi.ts'
import { banner } from './start/banner.ts'
import { findImage } from './start/find-image.ts'
import { proveItself } from './start/prove.ts'

/** How long requests in flight get to finish after SIGTERM. */
const drainMs = 10_000

async function main(): Promise<void> {
  const begun = performance.now()
  const settings = readSettings(process.env)
  const log = pino({ level: settings.logLevel }, pino.destination(2))
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'something failed that nothing waited for'))
  mkdirSync(settings.dataDirectory, { recursive: true, mode: 0o711 })
  lockDataDirectory(settings.dataDirectory)
  const driver = await LocalDriver.open(settings)
  const image = await findImage(driver.images, settings.image)
  const db = await openDatabase(join(settings.dataDirectory, 'carrel.db'))
  const { engine, close: closeEngine } = await openEngine({ db, driver, settings, log, image })
  const sockets = new CarrelSockets(engine, errorBody)
  const app = await createApp({ engine, errorBody, onUpgrade: (...handshake) => sockets.upgrade(...handshake) })
  await addOpenApi(app)
  addMetrics(app, engine)
  addPaperpodRoutes(app, engine)
  await listen(app, settings)
  const token = await ownerToken(db, settings.dataDirectory)
  const firstComputerMs = await proveItself(engine, db, token)
  const tokenFile = join(settings.dataDirectory, 'owner.token')
  process.stdout.write(
    `${banner({ settings, token, tokenFile, firstComputerMs, startedMs: performance.now() - begun, losses: driver.capabilities.losses })}\n`,
  )

  let closing = false
  const shutDown = async (signal: NodeJS.Signals) => {
    if (closing) return
    closing = true
    log.info({ signal }, 'stopping; computers go on running')
    sockets.close()
    await Promise.race([app.close(), delay(drainMs)])
    await closeEngine()
    await driver.close()
    await db.destroy()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => void shutDown(signal).catch((error: unknown) => fail(error, log)))
}

async function listen(app: Awaited<ReturnType<typeof createApp>>, settings: Settings): Promise<void> {
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

function fail(error: unknown, log?: Logger): never {
  log?.fatal({ err: error }, 'stopped by a fault')
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  if (!(error instanceof SettingError) && process.env.CARREL_LOG_LEVEL === 'debug' && error instanceof Error)
    process.stderr.write(`${error.stack}\n`)
  process.exit(1)
}

main().catch((error: unknown) => fail(error))
