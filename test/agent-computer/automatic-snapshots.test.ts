import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeDueSnapshots } from '../../src/engine/computers/snapshots/automatic-snapshots.ts'
import { AgentComputers } from '../support/agent-computer.ts'
import { TestApp } from '../support/test-app.ts'
import { until } from '../support/server.ts'

const hour = 3_600_000

test('automatic snapshots are taken when they are due, and only the newest are kept', { timeout: 60_000 }, async () => {
  const server = await TestApp.start({ env: { CARREL_SNAPSHOT_HOURS: '2', CARREL_SNAPSHOTS_KEPT: '2' } })
  try {
    const api = new AgentComputers(server)
    const { id } = await api.create({ handle: 'saved' })
    const own = await api.snapshot('saved')
    const kinds = async () =>
      (await api.call('GET', '/computers/saved/snapshots')).body.snapshots.map(({ kind }: { kind: string }) => kind)
    const passed = async (hours: number) => {
      // What was taken until now, was taken that much earlier.
      for (const table of ['computers', 'snapshots'] as const)
        await server.db
          .updateTable(table)
          .set((eb) => ({ created_at: eb('created_at', '-', hours * hour) }))
          .execute()
      await takeDueSnapshots(server.engine)
    }
    await passed(1)
    assert.deepEqual(await kinds(), ['manual'])
    await passed(1)
    assert.deepEqual(await kinds(), ['automatic', 'manual'])
    await takeDueSnapshots(server.engine)
    assert.deepEqual(await kinds(), ['automatic', 'manual'])
    for (let count = 0; count < 3; count++) await passed(2)
    await until(kinds, (found) => found.length === 3)
    assert.deepEqual(await kinds(), ['automatic', 'automatic', 'manual'])
    assert.equal((await api.call('GET', `/snapshots/${own.id}`)).body.snapshot.computer_id, id)
    // A computer that has not run since needs none.
    await api.done('POST', '/computers/saved/actions/stop')
    await passed(2)
    const length = (await kinds()).length
    await server.db.updateTable('computers').set({ started_at: 1 }).where('id', '=', id).execute()
    await passed(2)
    assert.equal((await kinds()).length, length)
  } finally {
    await server.stop()
  }
})
