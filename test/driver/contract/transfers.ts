import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { limits } from '../../../src/config/limits.ts'
import { snapshotPages } from '../../../src/drivers/driver-pages.ts'
import type { Driver, SnapshotFormat } from '../../../src/drivers/driver.ts'
import { newId } from '../../../src/engine/ids.ts'
import { settles } from '../../support/settles.ts'
import { hostOf, type OtherHost } from '../other-host.ts'
import type { Part, Subject } from '../subject.ts'

const MiB = 1024 * 1024
export const options = { maxBytes: 64 * MiB }

export const describeTransfers: Part = (subject) => {
  /** Returns a snapshot of a computer in which `code` was run by root. */
  async function snapshotOf(t: TestContext, code: string): Promise<string> {
    return snapshotAfter(t, subject(), code)
  }

  test('a computer moves: its snapshot is exported from one driver and imported into another', async (t) => {
    const snapshot = await snapshotOf(
      t,
      'echo moved > /workspace/file; rm /etc/motd; chown 33:44 /workspace; chmod 1777 /workspace; ln -s file /workspace/link; mkdir /workspace/empty; head -c 3000000 /dev/zero > /workspace/large',
    )
    const [here, there] = [hostOf(subject()), await subject().other()]
    for (const format of await commonFormats(here, there)) {
      const moved = await move(t, { from: here, to: there, format }, snapshot)
      const look =
        'cat /workspace/link; stat -c "%u:%g %a" /workspace; ls /etc/motd 2>&1 | grep -c "No such"; ls /workspace; wc -c < /workspace/large'
      const expected = 'moved\n33:44 1777\n1\nempty\nfile\nlarge\nlink\n3000000\n'
      assert.equal(await there.runOn(moved, ['bash', '-c', look]), expected, format)
    }
  })

  test('an imported snapshot is a snapshot like others: it can be exported, forked and deleted', async (t) => {
    const { driver } = subject()
    const snapshot = await snapshotOf(t, 'echo kept > /workspace/file')
    const [here, there] = [hostOf(subject()), await subject().other()]
    const [format] = await commonFormats(here, there)
    const moved = await move(t, { from: here, to: there, format: format! }, snapshot)
    const back = await move(t, { from: there, to: here, format: format! }, moved)
    const one = await subject().computer(t, { source: { snapshot: back } })
    const two = await subject().computer(t, { source: { snapshot: back } })
    await subject().shell(one, 'echo changed > /workspace/file', { user: 'root' })
    assert.equal((await subject().shell(two, 'cat /workspace/file')).stdout, 'kept\n')
    await driver.deleteSnapshot(back)
    assert.ok(!(await snapshotsOf(driver)).includes(back))
  })

  test('importSnapshot() refuses a stream that was cut anywhere or changed, and nothing stays of it', async (t) => {
    const { driver } = subject()
    const before = await snapshotsOf(driver)
    const whole = await exported(driver, await snapshotOf(t, 'head -c 300000 /dev/zero > /workspace/file'))
    const cuts = [0, 5, 17, 40, whole.length - 1, whole.length - 32, whole.length - 36, whole.length >> 1]
    for (const length of cuts) await refuses(driver, whole.subarray(0, length), 'invalid_request', `cut at ${length}`)
    for (const place of [0, 16, 17, 30, whole.length - 1, whole.length >> 1]) {
      const changed = Buffer.from(whole)
      changed[place]! ^= 1
      await refuses(driver, changed, 'invalid_request', `changed at ${place}`)
    }
    await refuses(driver, Buffer.concat([whole, Buffer.of(0)]), 'invalid_request', 'one byte longer')
    assert.deepEqual((await snapshotsOf(driver)).length, before.length + 1)
  })

  test('importSnapshot() ends when its stream fails', async (t) => {
    const { driver } = subject()
    const whole = await exported(driver, await snapshotOf(t, 'head -c 300000 /dev/zero > /workspace/file'))
    for (const failure of [undefined, new Error('the connection was lost')]) {
      const id = newId()
      const stream = new Readable({ read: () => {} })
      stream.push(whole.subarray(0, 200_000))
      const imported = driver.importSnapshot(id, stream, options)
      stream.destroy(failure)
      await assert.rejects(settles(imported, 'the import'), { code: 'invalid_request' })
      assert.ok(!(await snapshotsOf(driver)).includes(id))
    }
  })

  test('importSnapshot() refuses an image that is missing, an id that exists, and more than its maximum', async (t) => {
    const { driver } = subject()
    const snapshot = await snapshotOf(t, 'head -c 300000 /dev/zero > /workspace/file')
    const whole = await exported(driver, snapshot)
    const { id: image } = subject().image
    const renamed = Buffer.from(whole)
    renamed.write(image.endsWith('0') ? '1' : '0', whole.indexOf(image) + image.length - 1)
    await refuses(driver, renamed, 'image_missing')
    await assert.rejects(driver.importSnapshot(snapshot, Readable.from([whole]), options), { code: 'already_exists' })
    await refuses(driver, whole, 'too_large', 'too small a maximum', { maxBytes: 200_000 })
    await refuses(driver, Buffer.from('something else entirely, but long enough to be read'), 'invalid_request')
  })

  test('of two imports of one id at the same time, one is refused', async (t) => {
    const { driver } = subject()
    const whole = await exported(driver, await snapshotOf(t, 'echo file > /workspace/file'))
    const id = newId()
    t.after(() => driver.deleteSnapshot(id))
    const both = [0, 1].map(() => driver.importSnapshot(id, Readable.from([whole]), options))
    const codes = (await Promise.allSettled(both)).map((end) => (end.status === 'rejected' ? end.reason.code : 'ok'))
    assert.deepEqual(codes, ['ok', 'already_exists'])
  })

  test('exportSnapshot() refuses an unknown snapshot, and formats that it does not write', async (t) => {
    const { driver } = subject()
    const { snapshotFormats } = driver.capabilities
    await assert.rejects(driver.exportSnapshot('nothing', snapshotFormats), { code: 'not_found' })
    const snapshot = await snapshotOf(t, 'true')
    const unknown = (['btrfs', 'tar', 'memory'] as const).filter((format) => !snapshotFormats.includes(format))
    await assert.rejects(driver.exportSnapshot(snapshot, unknown), { code: 'invalid_request' })
    for (const format of snapshotFormats) {
      const head = (await exported(driver, snapshot, [format])).subarray(0, 64).toString('latin1')
      assert.ok(head.includes(`"format":"${format}"`), head)
    }
  })

  test('an export fails when its snapshot is deleted meanwhile, in every format', async (t) => {
    const { driver } = subject()
    for (const format of driver.capabilities.snapshotFormats) {
      const snapshot = await snapshotOf(t, 'head -c 4000000 /dev/zero > /workspace/file')
      const stream = await driver.exportSnapshot(snapshot, [format])
      await once(stream, 'readable')
      const failed = assert.rejects(buffer(stream), { code: 'not_found' })
      await settles(driver.deleteSnapshot(snapshot), 'the deletion')
      await failed
      await assert.rejects(driver.exportSnapshot(snapshot, [format]), { code: 'not_found' })
    }
  })

  test('only so many exports and imports run at a time, and each makes room when it ends', async (t) => {
    const { driver } = subject()
    const { snapshotFormats } = driver.capabilities
    const snapshot = await snapshotOf(t, 'head -c 4000000 /dev/zero > /workspace/file')
    const streams: Readable[] = []
    for (let count = 0; count < limits.snapshotTransfers; count++)
      streams.push(await driver.exportSnapshot(snapshot, snapshotFormats))
    await assert.rejects(driver.exportSnapshot(snapshot, snapshotFormats), { code: 'no_capacity' })
    await assert.rejects(driver.importSnapshot(newId(), Readable.from([]), options), { code: 'no_capacity' })
    // What is exported does not keep the driver from other work.
    const computer = await subject().computer(t, { source: { snapshot } })
    assert.equal((await subject().shell(computer, 'echo works')).stdout, 'works\n')
    for (const stream of streams) {
      stream.destroy()
      await once(stream, 'close')
    }
    const whole = await settles(exportedSoon(driver, snapshot), 'the next export')
    assert.ok(whole.length > 1000)
  })
}

/** Returns a snapshot of a computer in which `code` was run by root. */
export async function snapshotAfter(t: TestContext, subject: Subject, code: string): Promise<string> {
  const { driver } = subject
  const computer = await subject.computer(t)
  const { exit, stderr } = await subject.shell(computer, code, { user: 'root' })
  assert.equal(exit.exitCode, 0, stderr)
  const snapshot = newId()
  t.after(() => driver.deleteSnapshot(snapshot))
  await driver.snapshot(computer, snapshot)
  return snapshot
}

export async function commonFormats(here: OtherHost, there: OtherHost): Promise<SnapshotFormat[]> {
  const readable = await there.formats()
  return (await here.formats()).filter((format) => readable.includes(format))
}

/** Moves a snapshot from one host to another. Returns its id there. */
export async function move(
  t: TestContext,
  { from, to, format }: { from: OtherHost; to: OtherHost; format: SnapshotFormat },
  snapshot: string,
): Promise<string> {
  const id = newId()
  t.after(() => to.deleteSnapshot(id))
  await to.importSnapshot(id, await from.exportSnapshot(snapshot, [format]), options.maxBytes)
  assert.ok((await to.snapshots()).includes(id))
  return id
}

export async function exported(
  driver: Driver,
  snapshot: string,
  formats = driver.capabilities.snapshotFormats,
): Promise<Buffer> {
  return buffer(await driver.exportSnapshot(snapshot, formats))
}

export async function snapshotsOf(driver: Driver): Promise<string[]> {
  return (await Array.fromAsync(snapshotPages(driver))).flat()
}

async function refuses(
  driver: Driver,
  stream: Buffer,
  code: string,
  what: string = code,
  { maxBytes } = options,
): Promise<void> {
  const id = newId()
  await assert.rejects(
    settles(driver.importSnapshot(id, Readable.from([stream], { objectMode: false }), { maxBytes }), what),
    { code },
    what,
  )
  assert.ok(!(await snapshotsOf(driver)).includes(id), what)
}

/** Exports as soon as there is room: the programs of an export that was given up end a moment after its stream. */
async function exportedSoon(driver: Driver, snapshot: string): Promise<Buffer> {
  for (;;) {
    try {
      return await exported(driver, snapshot)
    } catch (error) {
      if ((error as { code?: string }).code !== 'no_capacity') throw error
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}
