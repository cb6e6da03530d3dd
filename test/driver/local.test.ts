import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { lockDataDirectory } from '../../src/data-lock.ts'
import { findCgroups } from '../../src/drivers/local/cgroups/open-cgroups.ts'
import { LocalDriver } from '../../src/drivers/local/local-driver.ts'
import { Paths } from '../../src/drivers/local/paths.ts'
import { openPool } from '../../src/drivers/local/storage/pool.ts'
import { newId } from '../../src/engine/ids.ts'
import { testDataDirectory, testNetwork } from '../support/server.ts'
import { describeDriver, hostParts, pureParts } from './contract.ts'
import { endHost, networkBeside, startHost } from './other-host.ts'
import { smallLimits, Subject } from './subject.ts'
import { settles } from '../support/settles.ts'

const recipe = fileURLToPath(new URL('../../images/slim', import.meta.url))

async function open(): Promise<LocalDriver> {
  return LocalDriver.open({
    dataDirectory: testDataDirectory,
    runtime: undefined,
    network: testNetwork,
    allowedAddresses: [],
    resolvers: [],
    networkPoolSize: 4,
  })
}

/** Its pool is another file system. */
const otherDirectory = join(testDataDirectory, 'other')
after(() => endHost(otherDirectory))

mkdirSync(testDataDirectory, { recursive: true, mode: 0o711 })
lockDataDirectory(testDataDirectory)

describeDriver(
  'the local driver',
  async () => {
    const driver = await open()
    const image = await driver.images.build(recipe, () => {})
    const images = join((await openPool(testDataDirectory)).directory, 'images')
    const openOther = () => startHost({ dataDirectory: otherDirectory, network: networkBeside(testNetwork), images })
    return new Subject({ driver, image, recipe, openOther })
  },
  { ...pureParts, ...hostParts },
)

test('remove() of an image is a conflict while a snapshot is based on it, and removes it after that', async (t) => {
  const driver = await open()
  t.after(() => driver.close())
  const slim = await driver.images.build(recipe, () => {})
  const { storage, directory } = await openPool(testDataDirectory)
  const copy = `copy-${randomBytes(6).toString('hex')}`
  const volume = join(directory, 'images', copy)
  await storage.copy(join(directory, 'images', slim.id), volume)
  t.after(() => storage.delete(volume))
  const described = join(volume, 'image.json')
  writeFileSync(described, JSON.stringify({ ...JSON.parse(readFileSync(described, 'utf8')), id: copy }))

  const [id, snapshot] = [newId(), newId()]
  await driver.create({ id, source: { image: copy }, hostname: 'x', limits: smallLimits })
  await driver.snapshot(id, snapshot)
  t.after(() => driver.deleteSnapshot(snapshot))
  await assert.rejects(driver.images.remove(copy), { code: 'conflict' })
  await driver.destroy(id)
  await assert.rejects(driver.images.remove(copy), { code: 'conflict' })
  await driver.deleteSnapshot(snapshot)
  await driver.images.remove(copy)
  assert.ok(!(await driver.images.list()).some((image) => image.id === copy))
})

test('destroy() ends a computer that its runtime does not know, as when another runtime created it', async (t) => {
  const driver = await open()
  t.after(() => driver.close())
  const subject = new Subject({ driver, image: await driver.images.build(recipe, () => {}), recipe })
  const id = await subject.computer(t)
  const process = await subject.exec(id, ['sleep', '1000'])
  rmSync(join(new Paths(testDataDirectory).runtime, 'runtime', id), { recursive: true })
  await driver.destroy(id)
  assert.equal((await settles(process.wait(), 'the end')).reason, 'stopped')
})

test('exec() waits while the computer is frozen to end a process tree', async (t) => {
  const driver = await open()
  t.after(() => driver.close())
  const subject = new Subject({ driver, image: await driver.images.build(recipe, () => {}), recipe })
  const id = await subject.computer(t)
  const { freeze } = findCgroups().files(new Paths(testDataDirectory).cgroup(id))
  writeFileSync(freeze.path, freeze.on)
  const running = subject.run(id, ['echo', 'went on'])
  await delay(300)
  writeFileSync(freeze.path, freeze.off)
  assert.equal((await settles(running)).stdout, 'went on\n')
})
