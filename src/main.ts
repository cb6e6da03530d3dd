import { once } from 'node:events'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { linksBelow } from './apis/links.ts'
import { databaseLocation } from './config/database-location.ts'
import { limits } from './config/limits.ts'
import { removeSecrets } from './config/secret-settings.ts'
import { readSettings, SettingError, type Settings } from './config/settings.ts'
import { lockDataDirectory } from './data-lock.ts'
import { openDatabase } from './db/open.ts'
import { LocalDriver } from './drivers/local/local-driver.ts'
import { ownerToken } from './engine/identity/accounts/owner.ts'
import { openEngine } from './engine/open-engine.ts'
import { claimNode } from './engine/nodes/claim-node.ts'
import { nodeFacts } from './engine/nodes/node-facts.ts'
import { openSecrets } from './engine/secrets/open-secrets.ts'
import { addressWarnings } from './start/address-warnings.ts'
import { assertOwnDatabase } from './start/assert-own-database.ts'
import { banner } from './start/banner.ts'
import { checkTempoAddresses } from './start/check-tempo-addresses.ts'
import { findImage, planDesktopImage } from './start/find-image.ts'
import { findNode } from './start/find-node.ts'
import { openApp } from './start/open-app.ts'
import { openLog } from './start/open-log.ts'
import { makeDataDirectory } from './start/make-data-directory.ts'
import { selfTest } from './start/self-test.ts'
import { stopSignal } from './start/stop-signal.ts'
import { unknownSettings } from './start/unknown-settings.ts'

async function main(): Promise<void> {
  const stop = stopSignal()
  const settings = readSettings(process.env)
  removeSecrets(process.env)
  const log = openLog(settings.logLevel)
  for (const unknown of unknownSettings(process.env)) log.warn(unknown)
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  const closing = new AbortController()
  stop.addEventListener('abort', () => {
    log.info({ signal: stop.reason as string }, 'stopping; computers keep running')
    setTimeout(() => {
      log.info('ending requests that are still running')
      closing.abort()
    }, limits.drainMs)
    setTimeout(() => fail(new Error('Cannot stop gracefully: something hangs'), log), limits.stopMs)
  })
  const parts = new AsyncDisposableStack()
  try {
    await start({ settings, log, stop, closing: closing.signal, parts })
    if (!stop.aborted) await once(stop, 'abort')
  } catch (error) {
    // A start that was interrupted rejects with the reason of the signal.
    if (!stop.aborted) {
      closing.abort()
      throw error
    }
  } finally {
    await parts.disposeAsync()
  }
  process.exit(0)
}

interface Start {
  settings: Settings
  log: Logger
  /** Aborts when the server is asked to stop. */
  stop: AbortSignal
  /** Aborts when the server has to end now. */
  closing: AbortSignal
  /** Collects what has to be closed at the end, in reverse order. */
  parts: AsyncDisposableStack
}

async function start({ settings, log, stop, closing, parts }: Start): Promise<void> {
  const begun = performance.now()
  await checkTempoAddresses(settings)
  makeDataDirectory(settings.dataDirectory)
  lockDataDirectory(settings.dataDirectory)
  await assertOwnDatabase(settings)
  const db = await openDatabase(databaseLocation(settings))
  parts.defer(() => db.destroy())
  const secrets = await openSecrets({ db, settings, log })
  const node = await claimNode(db, await findNode(db, settings.dataDirectory), nodeFacts(settings))
  const driver = await LocalDriver.open({ ...settings, log })
  parts.defer(() => driver.close())
  stop.throwIfAborted()
  const image = await findImage(driver.images, settings.image, stop)
  await driver.images.keep(image.id)
  const desktopImage = await planDesktopImage(driver.images, settings.desktopImage)
  const { engine, close: closeEngine } = await openEngine({
    db,
    node,
    secrets,
    driver,
    settings,
    log,
    image,
    desktopImage,
    linksBelow,
    closing,
    stopping: stop,
    // Whatever would be closed in order is another server's now.
    onNodeLost: (error) => fail(error, log),
  })
  parts.defer(closeEngine)
  const { listen, close: closeApp } = await openApp(engine)
  stop.throwIfAborted()
  await listen()
  parts.defer(closeApp)
  // The address is known now, also where the system chose the port.
  await engine.nodeLease.renew()
  for (const warning of await addressWarnings(db, node)) log.warn(warning)
  const token = await ownerToken(db, settings.dataDirectory, node.id)
  const firstComputerMs = await selfTest(engine)
  stop.throwIfAborted()
  engine.server.isStarted = true
  void engine.uptime.check().catch((error: unknown) => log.error({ err: error }, 'cannot check the services'))
  const tokenFile = join(settings.dataDirectory, 'owner.token')
  process.stdout.write(
    `${banner({ settings, token, tokenFile, firstComputerMs, startedMs: performance.now() - begun, limitations: driver.capabilities.limitations })}\n`,
  )
}

function fail(error: unknown, log?: Logger): never {
  log?.fatal({ err: error }, 'stopped by a failure')
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  if (!(error instanceof SettingError) && process.env.CARREL_LOG_LEVEL === 'debug' && error instanceof Error)
    process.stderr.write(`${error.stack}\n`)
  process.exit(1)
}

main().catch((error: unknown) => fail(error))
