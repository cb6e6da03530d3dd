import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { linksBelow } from '../../src/apis/links.ts'
import { readSettings } from '../../src/config/settings.ts'
import { openDatabase } from '../../src/db/open.ts'
import type { ImageInfo } from '../../src/drivers/driver.ts'
import { MemoryDriver } from '../../src/drivers/memory/memory-driver.ts'
import { MemoryHost } from '../../src/drivers/memory/memory-host.ts'
import { assemble } from '../../src/engine/assemble.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { claimNode } from '../../src/engine/nodes/claim-node.ts'
import { nodeFacts } from '../../src/engine/nodes/node-facts.ts'
import { openSecrets } from '../../src/engine/secrets/open-secrets.ts'

interface Options extends Partial<Engine> {
  /** Settings, as environment variables. */
  env?: NodeJS.ProcessEnv
  ownerId?: string
  /** The image of its computers; one in memory by default. */
  image?: ImageInfo
}

/**
 * Returns an assembled engine over computers and a database in memory, in which nothing runs by itself, and whose server
 * is the one that works for the whole database: for rules of the engine. Parts that are given replace its own; the caller closes the
 * database and the driver.
 */
export async function testEngine({ env = {}, ownerId, image, ...parts }: Options = {}): Promise<Engine> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'carrel-engine-'))
  directories.push(dataDirectory)
  const settings = readSettings({
    CARREL_PUBLIC_URL: 'https://carrel.example',
    // Otherwise each engine would create a file, and wait for the disk.
    CARREL_SECRET_KEY: Buffer.alloc(32, 1).toString('base64'),
    ...env,
    CARREL_DATA: dataDirectory,
  })
  const db = parts.db ?? (await openDatabase(':memory:'))
  const driver = parts.driver ?? MemoryDriver.open(new MemoryHost())
  const never = new AbortController().signal
  const log = pino({ level: 'silent' })
  const engine = await assemble(
    {
      db,
      node: parts.node ?? (await claimNode(db, 'node', nodeFacts(settings))),
      secrets: await openSecrets({ db, settings, log }),
      driver,
      settings,
      log,
      image: image ?? (await driver.images.build('test', () => {})),
      linksBelow,
      stopping: never,
      closing: never,
      onNodeLost: () => {},
    },
    () => {},
  )
  Object.defineProperty(engine.nodeLease, 'leads', { value: true })
  if (ownerId !== undefined) engine.server.ownerId = ownerId
  return Object.assign(engine, parts)
}

const directories: string[] = []
process.once('exit', () => directories.forEach((directory) => rmSync(directory, { recursive: true, force: true })))
