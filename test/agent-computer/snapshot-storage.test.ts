import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { StorageUse } from '../../src/drivers/driver.ts'
import { measureSnapshots, snapshotBytes } from '../../src/engine/money/usage/measure-snapshots.ts'
import { AgentComputers } from '../support/agent-computer.ts'
import { TestApp } from '../support/test-app.ts'

const MiB = 1024 ** 2
const hour = 3_600_000

/**
 * Storage that shares blocks, as btrfs counts them: each volume is a set of blocks of 1 MiB.
 */
class SharedBlocks {
  readonly volumes = new Map<string, Set<string>>()

  use(name: string): StorageUse {
    const own = this.volumes.get(name) ?? new Set()
    const others = [...this.volumes].flatMap(([other, blocks]) => (other === name ? [] : [...blocks]))
    return { usedBytes: own.size * MiB, exclusiveBytes: own.difference(new Set(others)).size * MiB }
  }

  /** Returns what all volumes take on the disk together. */
  get totalBytes(): number {
    return new Set([...this.volumes.values()].flatMap((blocks) => [...blocks])).size * MiB
  }
}

describe('the storage of snapshots', { timeout: 60_000 }, () => {
  let server: TestApp
  let api: AgentComputers
  let disk: SharedBlocks
  before(async () => {
    server = await TestApp.start({ env: { CARREL_MEMORY_OVERCOMMIT: '100', CARREL_DISK_OVERCOMMIT: '100' } })
    api = new AgentComputers(server)
    disk = new SharedBlocks()
    const { driver } = server
    const stats = driver.stats.bind(driver)
    const snapshot = driver.snapshot.bind(driver)
    const deleteSnapshot = driver.deleteSnapshot.bind(driver)
    Object.assign(driver, {
      stats: async (id: string) => {
        const { usedBytes, exclusiveBytes } = disk.use(id)
        return { ...(await stats(id)), diskBytes: usedBytes, exclusiveDiskBytes: exclusiveBytes }
      },
      snapshot: async (id: string, snapshotId: string) => {
        const use = disk.use(id)
        disk.volumes.set(snapshotId, new Set(disk.volumes.get(id)))
        return { ...(await snapshot(id, snapshotId)), use }
      },
      snapshotUse: async (id: string) => disk.use(id),
      deleteSnapshot: async (id: string) => {
        disk.volumes.delete(id)
        await deleteSnapshot(id)
      },
    })
  })
  after(() => server.stop())

  const charged = async (computerId: string) =>
    disk.use(computerId).usedBytes + (await snapshotBytes(server.engine, server.engine.server.ownerId))

  test('each block is charged once, whatever is written, overwritten, kept and deleted', async () => {
    const { id } = await api.create({ handle: 'blocks' })
    const blocks = new Set<string>()
    disk.volumes.set(id, blocks)
    const snapshots: string[] = []
    let seed = 7
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
    for (let step = 0; step < 40; step++) {
      for (let written = random(4); written > 0; written--) blocks.add(`${step}-${written}`)
      for (const block of [...blocks]) if (random(4) === 0) blocks.delete(block)
      if (random(2) === 0) snapshots.push((await api.snapshot('blocks')).id)
      if (random(4) === 0 && snapshots.length > 0) {
        const [gone] = snapshots.splice(random(snapshots.length), 1)
        await api.done('DELETE', `/snapshots/${gone}`)
      }
      assert.equal(await charged(id), disk.totalBytes, `after step ${step}`)
    }
    assert.ok(snapshots.length > 2)
    await api.done('DELETE', '/computers/blocks')
    disk.volumes.delete(id)
    assert.equal(await charged(id), disk.totalBytes)
    for (const gone of snapshots) {
      await api.done('DELETE', `/snapshots/${gone}`)
      assert.equal(await charged(id), disk.totalBytes)
    }
    assert.equal(disk.totalBytes, 0)
  })

  test('what a snapshot alone has counts, though the computer shared it with a fork when it was taken', async () => {
    const { id } = await api.create({ handle: 'shared' })
    disk.volumes.set(id, new Set(['first']))
    await api.snapshot('shared')
    disk.volumes.set(id, new Set(['first', 'second']))
    disk.volumes.set('fork', new Set(['first', 'second']))
    const { id: later } = await api.snapshot('shared')
    const added = async () => (await api.call('GET', `/snapshots/${later}`)).body.snapshot.added_bytes
    assert.equal(await added(), 0)
    disk.volumes.delete('fork')
    disk.volumes.set(id, new Set(['first']))
    await measureSnapshots(server.engine)
    assert.equal(await added(), MiB)
    assert.equal(await charged(id), disk.totalBytes)
    await api.done('DELETE', '/computers/shared')
    disk.volumes.clear()
    for (const { id: gone } of (await api.call('GET', '/snapshots')).body.snapshots)
      await api.done('DELETE', `/snapshots/${gone}`)
  })

  test('they are metered as cold storage by the hour, once', async () => {
    const { id } = await api.create({ handle: 'metered' })
    disk.volumes.set(id, new Set(['kept', 'changed']))
    await api.snapshot('metered')
    disk.volumes.set(id, new Set(['kept', 'new']))
    const metered = async (now: number) => {
      await measureSnapshots(server.engine, now)
      const rows = server.db.selectFrom('usage_intervals').selectAll().where('label', '=', 'metered')
      return (await rows.where('meter', '=', 'storage_cold').execute()).map(({ quantity }) => Number(quantity))
    }
    const { measured_at } = await server.db.selectFrom('snapshots').select('measured_at').executeTakeFirstOrThrow()
    const [quantity] = await metered(Number(measured_at) + hour)
    assert.equal(quantity, (MiB / 1024) * 3600)
    assert.equal((await metered(Number(measured_at) + hour)).length, 1)
    assert.equal((await metered(Number(measured_at) + 1.5 * hour)).length, 2)
  })
})
