/* oxlint-disable eslint/no-restricted-imports -- what a measurement leaves is removed without a server */
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { computerPages, snapshotPages } from '../../src/drivers/driver-pages.ts'
import { LocalDriver } from '../../src/drivers/local/local-driver.ts'
import { unmount } from '../../src/drivers/local/host/mounts.ts'
import { Paths } from '../../src/drivers/local/paths.ts'
import { run } from '../../src/drivers/local/system/run.ts'
import { mapWithLimit } from '../../src/map-with-limit.ts'
import { readSettings } from '../../src/config/settings.ts'

const destroyedAtOnce = 8

/**
 * Destroys all computers and snapshots of a data directory, deletes its database and ends its monitor, so that the next
 * case starts from nothing. With the argument `all`, mounts and rules are removed too; images are kept.
 */
const settings = readSettings(process.env)
const paths = new Paths(settings.dataDirectory)
const driver = await LocalDriver.open({ ...settings, networkPoolSize: 0 })
for await (const computers of computerPages(driver))
  await mapWithLimit(computers, destroyedAtOnce, ({ id }) => driver.destroy(id))
for await (const ids of snapshotPages(driver)) for (const id of ids) await driver.deleteSnapshot(id)
await driver.close()
for (const name of ['carrel.db', 'carrel.db-wal', 'carrel.db-shm', 'database.mark', 'node.json'])
  await rm(join(paths.data, name), { force: true })
await rm(paths.processes, { recursive: true, force: true })
await endMonitor()
if (process.argv[2] === 'all') await clearHost()
process.exit(0)

async function clearHost(): Promise<void> {
  const lxcfs = Number(await readFile(join(paths.runtime, 'lxcfs.pid'), 'latin1').catch(() => '0'))
  if (lxcfs > 0) process.kill(lxcfs, 'SIGTERM')
  for (const path of [paths.lxcfs, paths.mounts, join(paths.data, 'pool')]) await unmount(path)
  const device = await run('losetup', ['-j', join(paths.data, 'pool.img'), '-n', '-O', 'NAME'])
  if (device.trim()) await run('losetup', ['-d', device.trim()])
  await run('nft', ['delete', 'table', 'inet', paths.firewallTable]).catch(() => {})
  await rm(paths.runtime, { recursive: true, force: true })
}

async function endMonitor(): Promise<void> {
  const socket = connect(join(paths.runtime, 'monitor.sock'))
  socket.on('error', () => {}).resume()
  socket.write('{"op":"quit","seq":1}\n')
  await once(socket, 'close')
}
