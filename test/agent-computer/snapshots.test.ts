import assert from 'node:assert/strict'
import { after, before, describe, mock, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { CarrelError } from '../../src/errors.ts'
import { AgentComputers } from '../support/agent-computer.ts'
import { TestApp } from '../support/test-app.ts'

const env = { CARREL_MEMORY_OVERCOMMIT: '100', CARREL_DISK_OVERCOMMIT: '100' }

describe('snapshots', { timeout: 120_000 }, () => {
  let server: TestApp
  let api: AgentComputers
  before(async () => {
    server = await TestApp.start({ env })
    api = new AgentComputers(server)
  })
  after(() => server.stop())

  test('a snapshot has the files of its moment, and its computer runs on', async () => {
    const { id } = await api.create({ handle: 'origin', size_preset: 'ram-4g' })
    await api.shell('origin', 'echo then > file')
    const { status, body, operation } = await api.done('POST', '/computers/origin/snapshots')
    assert.deepEqual([status, body.snapshot.state, body.snapshot.durable_state], [202, 'creating', 'pending'])
    assert.deepEqual([operation.kind, operation.resource_id], ['snapshot.create', body.snapshot.id])
    const { snapshot } = (await api.call('GET', `/snapshots/${body.snapshot.id}`)).body
    assert.deepEqual(
      [snapshot.computer_id, snapshot.state, snapshot.capture_scope, snapshot.runtime_state, snapshot.durable_state],
      [id, 'ready', 'filesystem', 'absent', 'ready'],
    )
    assert.equal(snapshot.size_bytes, 5)
    assert.equal((await api.call('GET', '/usage')).body.usage.snapshot_storage_bytes, 5)
    assert.deepEqual((await api.call('GET', '/computers/origin/snapshots')).body.snapshots, [snapshot])
    await api.shell('origin', 'echo now > file')
    const restored = await api.done('POST', `/snapshots/${snapshot.id}/restore`, {
      handle: 'copy',
      display_name: 'Copy',
    })
    const copy = await api.read('copy')
    assert.deepEqual([restored.body.computer.id, restored.operation.kind], [copy.id, 'computer.create'])
    assert.deepEqual(
      [copy.source_kind, copy.source_snapshot_id, copy.display_name, copy.size_preset],
      ['snapshot', snapshot.id, 'Copy', 'ram-4g'],
    )
    assert.equal(await api.shell('copy', 'cat file'), 'then\n')
    assert.equal(await api.shell('origin', 'cat file'), 'now\n')
  })

  test('a snapshot outlives its computer, and a restored computer its snapshot', async () => {
    await api.create({ handle: 'short' })
    await api.shell('short', 'echo kept > file')
    await api.done('POST', '/computers/short/actions/stop')
    const { id } = await api.snapshot('short')
    await api.done('DELETE', '/computers/short')
    const source = { kind: 'snapshot', snapshot_id: id }
    const { source_snapshot_id } = await api.create({ handle: 'again', source })
    assert.equal(source_snapshot_id, id)
    const { body } = await api.call('GET', '/snapshots')
    assert.equal(body.snapshots.find((each: { id: string }) => each.id === id).computer_handle, 'short')
    assert.equal((await api.done('DELETE', `/snapshots/${id}`)).body.snapshot.state, 'deleting')
    assert.equal((await api.call('GET', `/snapshots/${id}`)).status, 404)
    await api.done('POST', '/computers/again/actions/stop')
    await api.done('POST', '/computers/again/actions/start')
    assert.equal(await api.shell('again', 'cat file'), 'kept\n')
    assert.equal((await api.call('POST', `/snapshots/${id}/restore`, {})).status, 404)
  })

  test('of several requests with one Idempotency-Key there is one snapshot, also after its answer was lost', async () => {
    await api.create({ handle: 'keyed' })
    const options = { headers: { 'idempotency-key': 'one-snapshot' } }
    const first = await api.done('POST', '/computers/keyed/snapshots', undefined, options)
    await server.db.deleteFrom('idempotency').where('key', '=', 'one-snapshot').execute()
    const again = await api.ended('POST', '/computers/keyed/snapshots', undefined, options)
    assert.equal(again.body.snapshot.id, first.body.snapshot.id)
    assert.equal((await api.call('GET', '/computers/keyed/snapshots')).body.snapshots.length, 1)
  })

  test('a snapshot that cannot be taken says why, and can be deleted', async () => {
    await api.create({ handle: 'full' })
    mock.method(server.driver, 'snapshot', () => Promise.reject(new CarrelError('no_capacity', 'No room is left')))
    const { body, operation } = await api.ended('POST', '/computers/full/snapshots')
    mock.restoreAll()
    assert.deepEqual([operation.status, operation.error_message], ['failed', 'No room is left'])
    const { snapshot } = (await api.call('GET', `/snapshots/${body.snapshot.id}`)).body
    assert.deepEqual(
      [snapshot.state, snapshot.failure_reason, snapshot.durable_state],
      ['failed', 'No room is left', 'failed'],
    )
    const refused = await api.call('POST', `/snapshots/${snapshot.id}/restore`, {})
    assert.deepEqual([refused.status, refused.body.error.code, refused.body.state], [409, 'conflict', 'failed'])
    await api.done('DELETE', `/snapshots/${snapshot.id}`)
  })

  test('requests that do not fit are refused, and nothing is made', async () => {
    await api.create({ handle: 'large', size_preset: 'ram-2g' })
    const { id } = await api.snapshot('large')
    const count = async () => (await api.call('GET', '/computers')).body.computers.length
    const earlier = await count()
    for (const [path, body, status, code] of [
      [`/snapshots/${id}/restore`, { size_preset: 'ram-3g' }, 400, 'invalid_request'],
      [`/snapshots/${id}/restore`, { handle: 'large' }, 409, 'already_exists'],
      ['/snapshots/none/restore', {}, 404, 'not_found'],
      ['/computers', { source: { kind: 'snapshot' } }, 400, 'invalid_request'],
      ['/computers', { source: { kind: 'image', snapshot_id: id } }, 400, 'invalid_request'],
      ['/computers/none/snapshots', undefined, 404, 'not_found'],
    ] as const) {
      const refused = await api.call('POST', path, body)
      assert.deepEqual([refused.status, refused.body.error.code], [status, code], path)
    }
    assert.equal(await count(), earlier)
  })

  test('a snapshot is not deleted while a computer is being created from it', async () => {
    await api.create({ handle: 'needed' })
    const { id } = await api.snapshot('needed')
    mock.method(server.engine.operations, 'begin', () => {})
    const { body } = await api.call('POST', `/snapshots/${id}/restore`, { handle: 'waits' })
    mock.restoreAll()
    const refused = await api.call('DELETE', `/snapshots/${id}`)
    assert.deepEqual([refused.status, refused.body.error.code], [409, 'conflict'])
    await server.engine.operations.resume()
    await api.settled(body.operation.id)
    await api.done('DELETE', `/snapshots/${id}`)
  })

  test('an account has a limited number of snapshots', async (t) => {
    await api.create({ handle: 'many' })
    const { length } = (await api.call('GET', '/snapshots')).body.snapshots
    t.mock.property(limits, 'snapshotsPerAccount', length + 1)
    await api.snapshot('many')
    const refused = await api.call('POST', '/computers/many/snapshots')
    assert.equal(refused.body.error.code, 'limit_reached')
  })
})

/** What a server has answered before it was killed, the next one does. */
for (const [what, method, pathOf, ends] of [
  ['a snapshot', 'POST', () => '/computers/c-snap/snapshots', 'ready'],
  ['the deletion of a snapshot', 'DELETE', (id: string) => `/snapshots/${id}`, undefined],
] as const)
  test(`${what} that was answered and not done is done by the next server`, { timeout: 60_000 }, async () => {
    const first = await TestApp.start({ env })
    const before = new AgentComputers(first)
    if (!(await before.read('c-snap'))) await before.create({ handle: 'c-snap' })
    const { id } = await before.snapshot('c-snap')
    first.engine.operations.begin = () => {}
    const { status, body } = await before.call(method, pathOf(id))
    assert.equal(status, 202, JSON.stringify(body))
    await first.stop('SIGKILL')
    const next = await TestApp.start({ env })
    try {
      const after = new AgentComputers(next)
      assert.equal((await after.settled(body.operation.id)).status, 'succeeded')
      assert.equal((await after.call('GET', `/snapshots/${body.snapshot.id}`)).body.snapshot?.state, ends)
    } finally {
      await next.stop()
    }
  })
