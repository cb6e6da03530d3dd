import { mkdtempSync, rmSync } from 'node:fs'
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
import { ownerToken } from '../../src/engine/identity/accounts/owner.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { openApp } from '../../src/start/open-app.ts'
import { useDataDirectory } from './data-directory.ts'
import { serverEnvironment } from './server-environment.ts'
import { TestClient } from './test-client.ts'

interface Parts {
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
 * The apps of a test file share one host and one database in turn, as successive servers on one machine do.
 */
export class TestApp extends TestClient {
  readonly engine: Engine
  readonly db: Kysely<Database>
  readonly driver: MemoryDriver
  readonly #stop: Parts['stop']
  #stopped: Promise<void> | undefined

  private constructor({ engine, db, driver, token, log, stop }: Parts) {
    super({ url: `http://${engine.settings.host}:${engine.settings.port}`, token, log })
    this.engine = engine
    this.db = db
    this.driver = driver
    this.#stop = stop
  }

  /** @param env settings in addition to those of every test */
  static async start({ env = {} }: { env?: Record<string, string> } = {}): Promise<TestApp> {
    const { host, directory } = (home ??= openHome())
    const settings = readSettings({ ...serverEnvironment(), ...env, CARREL_DATA: directory })
    const [stopping, closing] = [new AbortController(), new AbortController()]
    let logged = ''
    const log = pino({ level: settings.logLevel }, { write: (line: string) => void (logged += line) })
    const db = await openDatabase(join(directory, 'carrel.db'))
    const driver = MemoryDriver.open(host)
    const image = await driver.images.build(settings.image, () => {})
    const signals = { stopping: stopping.signal, closing: closing.signal }
    const { engine, close: closeEngine } = await openEngine({
      db,
      driver,
      settings,
      log,
      image,
      linksBelow,
      ...signals,
    })
    const { app, listen, close: closeApp } = await openApp(engine)
    await listen()
    const token = await ownerToken(db, directory)
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
    return new TestApp({ engine, db, driver, token, log: () => logged, stop })
  }

  /** SIGTERM ends the app in order; SIGKILL ends it as if the process were gone, with everything unwritten. */
  stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    return (this.#stopped ??= this.#stop(signal === 'SIGKILL'))
  }
}

/** What outlives an app of this test file. */
let home: { host: MemoryHost; directory: string } | undefined

function openHome() {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-app-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  useDataDirectory(directory)
  return { host: new MemoryHost(), directory }
}
