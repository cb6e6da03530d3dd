import assert from 'node:assert/strict'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { lockDataDirectory } from '../../src/data-lock.ts'
import { LocalImages } from '../../src/drivers/local/images/local-images.ts'
import { LocalDriver } from '../../src/drivers/local/local-driver.ts'
import { openPool } from '../../src/drivers/local/storage/pool.ts'
import { testDataDirectory, testNetwork, TestServer } from '../support/server.ts'
import { describeDriver, hostParts, pureParts } from './contract.ts'
import { endHost, networkBeside, startHost } from './other-host.ts'
import { Subject } from './subject.ts'

const recipe = fileURLToPath(new URL('../../images/slim', import.meta.url))
/** A data directory below that of the other tests, as on a host where no btrfs pool can be created. */
const dataDirectory = join(testDataDirectory, 'pool', 'plain')
/** Where a btrfs pool can be created. */
const btrfsDirectory = join(testDataDirectory, 'other')
const network = networkBeside(testNetwork)
let driver: LocalDriver | undefined

mkdirSync(testDataDirectory, { recursive: true, mode: 0o711 })
lockDataDirectory(testDataDirectory)

after(() => Promise.all([endHost(dataDirectory), endHost(btrfsDirectory)]))

// The parts of the contract that depend on the storage.
describeDriver('the local driver on plain directories', open, {
  life: pureParts.life,
  'life on a host': hostParts['life on a host'],
  files: pureParts.files,
  'files on a host': hostParts['files on a host'],
  paths: pureParts.paths,
  'paths on a host': hostParts['paths on a host'],
  snapshots: pureParts.snapshots,
  transfers: pureParts.transfers,
  'transfers on a host': hostParts['transfers on a host'],
})

test('unlimited disks and slow copies are declared, and reported when a server starts', async (t) => {
  const { snapshots, diskQuota, limitations } = driver!.capabilities
  assert.deepEqual([snapshots, diskQuota], [false, false])
  assert.match(limitations.join(), /disk limits are not enforced and snapshots copy every file/)
  const server = await TestServer.start({ env: { CARREL_DATA: dataDirectory, CARREL_NETWORK: network } })
  t.after(() => server.stop())
  for (const limitation of limitations) assert.ok(server.banner.includes(limitation), server.banner)
})

async function open(): Promise<Subject> {
  const { directory, storage } = await openPool(testDataDirectory)
  const storeDirectory = join(directory, 'images')
  await new LocalImages({ storeDirectory, storage, isInUse: async () => true }).build(recipe, () => {})
  const pool = join(dataDirectory, 'pool')
  mkdirSync(pool, { recursive: true, mode: 0o711 })
  writeFileSync(join(pool, '.plain-directories'), 'for tests\n')
  if (!existsSync(join(pool, 'images'))) symlinkSync(storeDirectory, join(pool, 'images'))
  driver = await LocalDriver.open({
    dataDirectory,
    runtime: undefined,
    network,
    allowedAddresses: [],
    resolvers: [],
    networkPoolSize: 4,
  })
  const image = await driver.images.build(recipe, () => {})
  const btrfs = { dataDirectory: btrfsDirectory, network: testNetwork, images: storeDirectory }
  return new Subject({ driver, image, recipe, openOther: () => startHost(btrfs) })
}
