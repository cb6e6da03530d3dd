import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import { pino } from 'pino'
import { linksBelow } from '../../src/apis/links.ts'
import { readSettings } from '../../src/config/settings.ts'
import { openDatabase } from '../../src/db/open.ts'
import type { Database } from '../../src/db/schema.ts'
import { MemoryDriver } from '../../src/drivers/memory/memory-driver.ts'
import { MemoryHost } from '../../src/drivers/memory/memory-host.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { claimNode } from '../../src/engine/nodes/claim-node.ts'
import { nodeFacts } from '../../src/engine/nodes/node-facts.ts'
import { ownerToken } from '../../src/engine/identity/accounts/owner.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { planDesktopImage } from '../../src/start/find-image.ts'
import { findNode } from '../../src/start/find-node.ts'
import { openSecrets } from '../../src/engine/secrets/open-secrets.ts'
import { openApp } from '../../src/start/open-app.ts'
import { useDataDirectory } from './data-directory.ts'
import { serverDatabaseUrl } from './server-database.ts'
import { serverEnvironment } from './server-environment.ts'
import { TestClient } from './test-client.ts'

interface Options {
  /** Settings in addition to those of every test. */
  env?: Record<string, string>
  /** Which data directory and host the app serves, beside others over the same database. */
  node?: 'first' | 'second'
  /** Where the database of the apps of this file is reached, when not at its own address. */
  databaseUrl?: string
}

interface Parts {
  /** Resolves when the app finds that its node is another server's. */
  lost: Promise<Error>
  engine: Engine
  db: Kysely<Database>
  driver: MemoryDriver
  token: string
  log: () => string
  stop: (isKilled: boolean) => Promise<void>
}

/**
 * The whole server in this process, over computers in memory: for rules of the engine and of surfaces, in milliseconds.
 * It listens on a port, because injected requests count as inner calls, without limits or connections.
 *
 * The apps of a test file share one host and one database in turn, as successive servers on one machine do; apps of the
 * second node have a host and a data directory of their own over the same database.
 */
export class TestApp extends TestClient {
  readonly engine: Engine
  readonly db: Kysely<Database>
  readonly driver: MemoryDriver
  /** Resolves when the app finds that its node is another server's; a server would end then. */
  readonly lost: Promise<Error>
  readonly #stop: Parts['stop']
  #stopped: Promise<void> | undefined

  private constructor({ lost, engine, db, driver, token, log, stop }: Parts) {
    super({ url: `http://${engine.settings.host}:${engine.settings.port}`, token, log })
    this.lost = lost
    this.engine = engine
    this.db = db
    this.driver = driver
    this.#stop = stop
  }

  static async start({ env = {}, node: name = 'first', databaseUrl }: Options = {}): Promise<TestApp> {
    const { host, directory } = homeOf(name)
    const place = { CARREL_DATA: directory, CARREL_DATABASE_URL: databaseUrl ?? (await serverDatabaseUrl()) }
    const settings = readSettings({ ...serverEnvironment(), ...secretOf(name), ...env, ...place })
    const [stopping, closing] = [new AbortController(), new AbortController()]
    let logged = ''
    const log = pino({ level: settings.logLevel }, { write: (line: string) => void (logged += line) })
    const db = await openDatabase(settings.databaseUrl ?? join(homeOf('first').directory, 'carrel.db'))
    const driver = MemoryDriver.open(host)
    const image = await driver.images.build(settings.image, () => {})
    const desktopImage = await planDesktopImage(driver.images, settings.desktopImage)
    const node = await claimNode(db, await findNode(db, directory), nodeFacts(settings))
    const lost = Promise.withResolvers<Error>()
    const signals = { stopping: stopping.signal, closing: closing.signal }
    const { engine, close: closeEngine } = await openEngine({
      db,
      node,
      secrets: await openSecrets({ db, settings, log }),
      driver,
      settings,
      log,
      image,
      desktopImage,
      linksBelow,
      onNodeLost: lost.resolve,
      ...signals,
    })
    const { app, listen, close: closeApp } = await openApp(engine)
    await listen()
    await engine.nodeLease.renew()
    engine.server.isStarted = true
    const token = await ownerToken(db, directory, node.id)
    const stop = async (isKilled: boolean) => {
      if (isKilled) {
        // It no longer receives, sends or writes anything; the rest only releases resources.
        app.server.closeAllConnections()
        log.level = 'silent'
        closing.abort()
        await driver.close()
        await db.destroy()
      }
      stopping.abort()
      await closeApp()
      await closeEngine().catch((error: unknown) => {
        if (!isKilled) throw error
      })
      await driver.close()
      await db.destroy()
    }
    return new TestApp({ lost: lost.promise, engine, db, driver, token, log: () => logged, stop })
  }

  /** SIGTERM ends the app in order; SIGKILL ends it as if the process were gone, with everything unwritten. */
  stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    return (this.#stopped ??= this.#stop(signal === 'SIGKILL'))
  }
}

/** What outlives an app of this test file, by node. */
const homes = new Map<string, Home>()

/** The servers of a database share a key; the first one's is in its data directory. */
function secretOf(node: string): NodeJS.ProcessEnv {
  if (node === 'first') return {}
  return { CARREL_SECRET_KEY: readFileSync(join(homeOf('first').directory, 'secret.key'), 'utf8').trim() }
}

interface Home {
  host: MemoryHost
  directory: string
}

function homeOf(node: string): Home {
  let home = homes.get(node)
  if (!home) homes.set(node, (home = openHome(node)))
  return home
}

function openHome(node: string): Home {
  const directory = mkdtempSync(join(tmpdir(), `carrel-app-${node}-`))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  if (node === 'first') useDataDirectory(directory)
  return { host: new MemoryHost(), directory }
}
