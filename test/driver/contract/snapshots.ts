import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { snapshotPages } from '../../../src/drivers/driver-pages.ts'
import { newId } from '../../../src/engine/ids.ts'
import { smallLimits, type Part } from '../subject.ts'

export const describeSnapshots: Part = (subject) => {
  async function snapshotOf(t: TestContext, computerId: string): Promise<string> {
    const snapshotId = newId()
    t.after(() => subject().driver.deleteSnapshot(snapshotId))
    await subject().driver.snapshot(computerId, snapshotId)
    return snapshotId
  }

  const snapshots = async () => (await Array.fromAsync(snapshotPages(subject().driver))).flat()

  test('a computer from a snapshot has the files of that moment, and neither changes the other', async (t) => {
    const origin = await subject().computer(t)
    await subject().shell(
      origin,
      'echo then > /workspace/file; rm /etc/motd; chown 33:44 /workspace; chmod 1777 /workspace',
      {
        user: 'root',
      },
    )
    const snapshot = await snapshotOf(t, origin)
    assert.ok((await snapshots()).includes(snapshot))
    await subject().shell(origin, 'echo now > /workspace/file', { user: 'root' })
    const fork = await subject().computer(t, { source: { snapshot } })
    const look = 'cat /workspace/file; stat -c "%u:%g %a" /workspace; ls /etc/motd 2>&1 | grep -c "No such"'
    assert.equal((await subject().shell(fork, look)).stdout, 'then\n33:44 1777\n1\n')
    await subject().shell(fork, 'echo other > /workspace/file', { user: 'root' })
    assert.equal((await subject().shell(origin, 'cat /workspace/file')).stdout, 'now\n')
    const second = await subject().computer(t, { source: { snapshot } })
    assert.equal((await subject().shell(second, 'cat /workspace/file')).stdout, 'then\n')
  })

  test('a snapshot outlives its computer, and can be taken from a stopped one', async (t) => {
    const { driver } = subject()
    const origin = await subject().computer(t)
    await subject().shell(origin, 'echo kept > /workspace/file')
    await driver.stop(origin, 0)
    const snapshot = await snapshotOf(t, origin)
    await driver.destroy(origin)
    const fork = await subject().computer(t, { source: { snapshot } })
    assert.equal((await subject().shell(fork, 'cat /workspace/file; seq 1')).stdout, 'kept\n1\n')
  })

  test('the disk limit of a computer from a snapshot is its own', async (t) => {
    if (!subject().driver.capabilities.diskQuota) return t.skip('no disk limits here')
    const origin = await subject().computer(t)
    const snapshot = await snapshotOf(t, origin)
    const limits = { ...smallLimits, diskBytes: 32 * 1024 * 1024 }
    const fork = await subject().computer(t, { source: { snapshot }, limits })
    const { stderr } = await subject().shell(fork, 'head -c 50M /dev/zero > /workspace/fill')
    assert.match(stderr, /quota|No space/i)
  })

  test('restore() replaces the files of a stopped computer, as often as wanted', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    await subject().shell(id, 'echo then > /workspace/file; chmod 640 /workspace/file')
    const snapshot = await snapshotOf(t, id)
    const look = 'cat /workspace/file; stat -c %a /workspace/file; ls /workspace'
    for (const word of ['now', 'later']) {
      await subject().shell(id, `echo ${word} > /workspace/file; chmod 600 /workspace/file; touch /workspace/${word}`)
      await driver.stop(id, 0)
      await driver.restore(id, snapshot)
      await driver.start(id)
      assert.equal((await subject().shell(id, look)).stdout, 'then\n640\nfile\n')
    }
    if (driver.capabilities.diskQuota)
      assert.match(
        (await subject().shell(id, 'head -c 300M /dev/zero > fill', { cwd: '/workspace' })).stderr,
        /quota|space/i,
      )
  })

  test('restore() of a running computer, or of a missing snapshot, changes nothing', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    const snapshot = await snapshotOf(t, id)
    await subject().shell(id, 'echo kept > /workspace/file')
    await assert.rejects(driver.restore(id, snapshot), { code: 'conflict' })
    await driver.stop(id, 0)
    await assert.rejects(driver.restore(id, newId()), { code: 'not_found' })
    await driver.start(id)
    assert.equal((await subject().shell(id, 'cat /workspace/file')).stdout, 'kept\n')
  })

  test('snapshot() reports what the computer held, and snapshotUse() what the snapshot holds', async (t) => {
    const { driver } = subject()
    if (!driver.capabilities.diskQuota) return t.skip('the storage does not count')
    const MiB = 1024 * 1024
    const id = await subject().computer(t)
    await subject().shell(id, 'head -c 8M /dev/zero > /workspace/first')
    const snapshotId = newId()
    t.after(() => driver.deleteSnapshot(snapshotId))
    const { use, pausedMs } = await driver.snapshot(id, snapshotId)
    assert.ok(use!.usedBytes >= 8 * MiB && use!.exclusiveBytes >= 8 * MiB, JSON.stringify(use))
    assert.ok(pausedMs >= 0)
    assert.ok((await driver.snapshotUse(snapshotId))!.usedBytes >= 8 * MiB)
    assert.equal(await driver.snapshotUse(newId()), undefined)
  })

  test('deleteSnapshot() removes a snapshot, and may be repeated', async (t) => {
    const { driver } = subject()
    const origin = await subject().computer(t)
    const snapshot = await snapshotOf(t, origin)
    await driver.deleteSnapshot(snapshot)
    await driver.deleteSnapshot(snapshot)
    assert.ok(!(await snapshots()).includes(snapshot))
    await assert.rejects(driver.create(subject().specification({ source: { snapshot } })), { code: 'not_found' })
  })
}
