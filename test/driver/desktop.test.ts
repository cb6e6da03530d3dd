import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { pino } from 'pino'
import { readSettings } from '../../src/config/settings.ts'
import { lockDataDirectory } from '../../src/data-lock.ts'
import { openDatabase } from '../../src/db/open.ts'
import { LocalDriver } from '../../src/drivers/local/local-driver.ts'
import { openComputer, type AccessibleComputer } from '../../src/engine/computers/access/open-computer.ts'
import type { Desktop } from '../../src/engine/computers/desktop/desktops.ts'
import { removeSandbox } from '../../src/engine/computers/manage/remove.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import { findImage } from '../../src/start/find-image.ts'
import { testDataDirectory } from '../support/data-directory.ts'
import { firstPicture } from '../support/first-picture.ts'
import { serverEnvironment } from '../support/server-environment.ts'
import { testEngine } from '../support/test-engine.ts'

// The image takes minutes to build: CARREL_TEST_DESKTOP=1 is for those who change it, or what starts it.
const options = { skip: process.env.CARREL_TEST_DESKTOP !== '1', timeout: 1_800_000 }

test(
  'the desktop shows its wallpaper to a VNC client, plays to a listener, and ends with everything that it started',
  options,
  async (t) => {
    mkdirSync(testDataDirectory, { recursive: true, mode: 0o711 })
    lockDataDirectory(testDataDirectory)
    const environment = { ...serverEnvironment(), CARREL_COMPUTER_MEMORY_MIB: '1024', CARREL_COMPUTER_PIDS: '1024' }
    const driver = await LocalDriver.open({ ...readSettings(environment), log: pino({ level: 'warn' }) })
    await using parts = new AsyncDisposableStack()
    parts.defer(() => driver.close())
    const image = await findImage(driver.images, 'desktop', t.signal)
    const db = await openDatabase(':memory:')
    parts.defer(() => db.destroy())
    const accountId = await createAccount(db, 'owner')
    const engine = await testEngine({ db, driver, image, ownerId: accountId, env: environment })
    const computer = await openComputer(engine, { accountId, tokenId: 'token' }, { name: 'desk' }, 'manage')
    parts.defer(async () => await removeSandbox(engine, computer, 'test'))

    const files = driver.files(computer.id)
    await files.makeDirectory('/workspace/one')
    assert.equal((await files.stat('/home/node/workspace/one')).type, 'directory')

    const desktop = await engine.desktops.open(engine, computer)
    while ((await colours(desktop)) < 1_000) await delay(100)
    assert.deepEqual(await engine.portWatch.scan(computer.id), [])
    await hear(engine, computer)

    for (const process of driver.processesOn(computer.id)) await process.kill('SIGTERM', 'process')
    await desktop.ended
    while ((await driver.stats(computer.id)).pids > 1) await delay(100)
    await assert.rejects(desktop.connect(), { code: 'upstream_unreachable' })
  },
)

/** Returns how many colours are shown: the screen alone has one, and the wallpaper thousands. */
async function colours(desktop: Desktop): Promise<number> {
  const socket = await desktop.connect()
  const { pixels } = await firstPicture(socket)
  socket.destroy()
  return new Set(new Uint32Array(pixels.buffer, pixels.byteOffset, pixels.length / 4)).size
}

/** Resolves once what the computer plays is heard: silence, in whole samples of two channels. */
async function hear(engine: Engine, computer: AccessibleComputer<'run'>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const end = () => reject(new Error('the recording has ended'))
  const leave = await engine.sounds.listen(engine, computer, { hear: resolve, end })
  const sound = await promise
  leave()
  assert.equal(sound.length % 4, 0)
  assert.ok(sound.every((byte) => byte === 0))
}
