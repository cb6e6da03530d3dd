import assert from 'node:assert/strict'
import { after, before, describe, mock, test } from 'node:test'
import { CarrelError } from '../../src/errors.ts'
import { AgentComputers } from '../support/agent-computer.ts'
import { TestApp } from '../support/test-app.ts'

const GiB = 1024 ** 3
const env = { CARREL_MEMORY_OVERCOMMIT: '100', CARREL_DISK_OVERCOMMIT: '100' }

describe('changes of whole computers', { timeout: 120_000 }, () => {
  let server: TestApp
  let api: AgentComputers
  before(async () => {
    server = await TestApp.start({ env })
    api = new AgentComputers(server)
  })
  after(() => server.stop())

  const sizeOf = async (handle: string) => {
    const { state, size_preset, requested_memory_mib, requested_storage_bytes } = await api.read(handle)
    const { memoryLimitBytes, diskLimitBytes } = await server.driver.stats((await api.read(handle)).id)
    assert.deepEqual([memoryLimitBytes, diskLimitBytes], [requested_memory_mib * 1024 ** 2, requested_storage_bytes])
    return [state, size_preset, requested_memory_mib, requested_storage_bytes / GiB]
  }

  test('a computer gets another size while it runs, and what the request leaves out stays', async () => {
    await api.create({ handle: 'sized' })
    const resize = (body: object) => api.done('POST', '/computers/sized/actions/resize', body)
    const { body, operation } = await resize({ size_preset: 'ram-4g' })
    assert.deepEqual([body.computer.state, body.restart_required], ['updating', false])
    assert.equal(operation.kind, 'computer.resize')
    assert.deepEqual(await sizeOf('sized'), ['running', 'ram-4g', 4096, 10])
    await resize({ requested_storage_bytes: 7 * GiB })
    assert.deepEqual(await sizeOf('sized'), ['running', 'custom', 4096, 7])
    await api.done('POST', '/computers/sized/actions/stop')
    await resize({ size_preset: 'ram-2g' })
    assert.deepEqual(await sizeOf('sized'), ['stopped', 'ram-2g', 2048, 5])
    const events = server.db.selectFrom('events').select('data').where('type', '=', 'computer.resized')
    assert.equal((await events.execute()).length, 3)
  })

  test('a size that does not hold what the disk holds is refused, and so is one that is none', async () => {
    const { id } = await api.create({ handle: 'holds', size_preset: 'ram-4g' })
    const stats = server.driver.stats.bind(server.driver)
    mock.method(server.driver, 'stats', async (each: string) => ({
      ...(await stats(each)),
      ...(each === id ? { diskBytes: 6 * GiB } : {}),
    }))
    const refused = await api.call('POST', '/computers/holds/actions/resize', { size_preset: 'ram-2g' })
    mock.restoreAll()
    assert.deepEqual([refused.status, refused.body.error.code, refused.body.usedBytes], [409, 'conflict', 6 * GiB])
    assert.match(refused.body.error.message, /its disk holds 6\.0 GiB; delete files first/)
    for (const body of [{}, { size_preset: 'ram-3g' }, { requested_memory_mib: 1 }, { requested_storage_bytes: 7 }]) {
      const { status, body: answer } = await api.call('POST', '/computers/holds/actions/resize', body)
      assert.deepEqual([status, answer.error.code], [400, 'invalid_request'], JSON.stringify(body))
    }
    assert.deepEqual(await sizeOf('holds'), ['running', 'ram-4g', 4096, 10])
  })

  test('a computer that uses more memory than it would have is stopped and started', async () => {
    const { id } = await api.create({ handle: 'uses', size_preset: 'ram-4g' })
    const resize = server.driver.resize.bind(server.driver)
    mock.method(server.driver, 'resize', async (...given: Parameters<typeof resize>) =>
      (await server.driver.get(id))!.running ? false : resize(...given),
    )
    await api.shell('uses', 'echo kept > file')
    const { operation } = await api.done('POST', '/computers/uses/actions/resize', { size_preset: 'ram-2g' })
    mock.restoreAll()
    const { result } = await server.db
      .selectFrom('operations')
      .select('result')
      .where('id', '=', operation.id)
      .executeTakeFirstOrThrow()
    assert.deepEqual(JSON.parse(result!), { restarted: true })
    assert.deepEqual(await sizeOf('uses'), ['running', 'ram-2g', 2048, 5])
    assert.equal(await api.shell('uses', 'cat file'), 'kept\n')
  })

  test('a resize that fails leaves the size as it was', async () => {
    await api.create({ handle: 'stays' })
    mock.method(server.driver, 'resize', () => Promise.reject(new CarrelError('conflict', 'Its disk holds more')))
    const { operation } = await api.ended('POST', '/computers/stays/actions/resize', { size_preset: 'ram-8g' })
    mock.restoreAll()
    assert.deepEqual([operation.status, operation.error_message], ['failed', 'Its disk holds more'])
    assert.deepEqual(await sizeOf('stays'), ['running', 'ram-2g', 2048, 5])
  })

  test('while one change is under way, the same one is that one, and any other a conflict', async () => {
    await api.create({ handle: 'busy' })
    mock.method(server.engine.operations, 'begin', () => {})
    const resize = (body: object) => api.call('POST', '/computers/busy/actions/resize', body)
    const first = await resize({ size_preset: 'ram-4g' })
    const again = await resize({ size_preset: 'ram-4g' })
    assert.equal(again.body.operation.id, first.body.operation.id)
    for (const [path, body] of [
      ['/actions/resize', { size_preset: 'ram-8g' }],
      ['/actions/stop', undefined],
      ['/snapshots', undefined],
      ['/fork', {}],
    ] as const) {
      const refused = await api.call('POST', `/computers/busy${path}`, body)
      assert.deepEqual([refused.status, refused.body.operation], [409, 'computer.resize'], path)
    }
    mock.restoreAll()
    await server.engine.operations.resume()
    assert.equal((await api.settled(first.body.operation.id)).status, 'succeeded')
  })

  test('a restore in place brings back the files of a snapshot, and the computer runs again', async () => {
    const { id } = await api.create({ handle: 'back' })
    await api.shell('back', 'echo then > file')
    const snapshot = await api.snapshot('back')
    await api.shell('back', 'echo now > file; echo new > other')
    const { body } = await api.done('POST', '/computers/back/actions/restore', { snapshot_id: snapshot.id })
    assert.deepEqual([body.computer.id, body.computer.state, body.operation.kind], [id, 'updating', 'computer.restore'])
    assert.equal((await api.read('back')).state, 'running')
    assert.equal(await api.shell('back', 'cat file; ls other 2>/dev/null | wc -l'), 'then\n0\n')
    await api.done('POST', '/computers/back/actions/stop')
    await api.done('POST', '/computers/back/actions/restore', { snapshot_id: snapshot.id })
    assert.equal((await api.read('back')).state, 'stopped')
    const missing = await api.call('POST', '/computers/back/actions/restore', { snapshot_id: 'none' })
    assert.equal(missing.status, 404)
  })

  test('a restore in place that fails leaves the files, and the computer runs again', async () => {
    await api.create({ handle: 'kept' })
    const snapshot = await api.snapshot('kept')
    await api.shell('kept', 'echo now > file')
    mock.method(server.driver, 'restore', () => Promise.reject(new CarrelError('no_capacity', 'No room is left')))
    const path = '/computers/kept/actions/restore'
    const { operation } = await api.ended('POST', path, { snapshot_id: snapshot.id })
    mock.restoreAll()
    assert.deepEqual([operation.status, operation.error_message], ['failed', 'No room is left'])
    assert.equal(await api.shell('kept', 'cat file'), 'now\n')
  })

  test('forks are copies of one moment, and leave no snapshot', async () => {
    await api.create({ handle: 'tree', size_preset: 'ram-4g' })
    await api.shell('tree', 'echo here > file')
    const { status, body } = await api.done('POST', '/computers/tree/fork', { count: 3, handle: 'leaf' })
    assert.equal(status, 202)
    const names = body.computers.map(({ handle, state }: Record<string, string>) => [handle, state])
    assert.deepEqual(
      names.toSorted(),
      [1, 2, 3].map((number) => [`leaf-${number}`, 'provisioning']),
    )
    for (const [handle] of names) {
      assert.deepEqual(await sizeOf(handle), ['running', 'ram-4g', 4096, 10])
      assert.equal(await api.shell(handle, 'cat file; echo own > file'), 'here\n')
    }
    assert.equal(await api.shell('tree', 'cat file'), 'here\n')
    assert.deepEqual((await api.call('GET', '/computers/tree/snapshots')).body.snapshots, [])
    const kept = await server.db.selectFrom('snapshots').select('id').where('kind', '=', 'fork').execute()
    assert.deepEqual(kept, [])
    const one = await api.done('POST', '/computers/tree/fork', { handle: 'only', size_preset: 'ram-2g' })
    assert.deepEqual([one.body.computers.length, (await api.read('only')).size_preset], [1, 'ram-2g'])
  })

  test('of forks that cannot be made nothing stays', async () => {
    await api.create({ handle: 'dry' })
    const count = async () => (await api.call('GET', '/computers')).body.computers.length
    const earlier = await count()
    for (const [body, status] of [
      [{ count: 0 }, 400],
      [{ count: 33 }, 400],
      [{ handle: 'dry' }, 409],
    ] as const)
      assert.equal((await api.call('POST', '/computers/dry/fork', body)).status, status)
    assert.equal(await count(), earlier)
    mock.method(server.driver, 'snapshot', () => Promise.reject(new CarrelError('no_capacity', 'No room is left')))
    const { operation } = await api.ended('POST', '/computers/dry/fork', { count: 2 })
    mock.restoreAll()
    assert.equal(operation.error_message, '2 of 2 forks could not be made: No room is left')
    assert.equal(await count(), earlier)
  })

  test('there is room for all forks or for none', async () => {
    await api.create({ handle: 'wide' })
    const { settings, node } = server.engine
    const before = settings.memoryOvercommit
    const { memory_bytes } = await server.db
      .selectFrom('nodes')
      .select('memory_bytes')
      .where('id', '=', node.id)
      .executeTakeFirstOrThrow()
    const { body: capacity } = await api.call('POST', '/computer-capacity/check', { size_preset: 'ram-2g' })
    const usedMib = (memory_bytes * before) / 1024 ** 2 - capacity.available_memory_mib
    Object.assign(settings, { memoryOvercommit: ((usedMib + 5000) * 1024 ** 2) / memory_bytes })
    try {
      const refused = await api.call('POST', '/computers/wide/fork', { count: 3 })
      assert.deepEqual([refused.status, refused.body.error.code], [503, 'no_capacity'])
      assert.equal((await api.call('POST', '/computers/wide/actions/resize', { size_preset: 'ram-8g' })).status, 503)
      await api.done('POST', '/computers/wide/actions/resize', { requested_memory_mib: 6 * 1024 })
    } finally {
      Object.assign(settings, { memoryOvercommit: before })
    }
  })
})

/** What a server has answered before it was killed, the next one does. */
for (const [action, body, check] of [
  ['actions/resize', { size_preset: 'ram-4g' }, async (api) => (await api.read('c-change')).size_preset === 'ram-4g'],
  ['fork', { handle: 'c-fork' }, async (api) => (await api.shell('c-fork', 'cat file')) === 'kept\n'],
  ['actions/restore', {}, async (api) => (await api.shell('c-change', 'cat file')) === 'kept\n'],
] as [string, object, (api: AgentComputers) => Promise<boolean>][])
  test(`${action} that was answered and not done is done by the next server`, { timeout: 60_000 }, async () => {
    const first = await TestApp.start({ env })
    const before = new AgentComputers(first)
    if (!(await before.read('c-change'))) await before.create({ handle: 'c-change' })
    await before.shell('c-change', 'echo kept > file')
    const { id } = await before.snapshot('c-change')
    if (action === 'actions/restore') await before.shell('c-change', 'echo lost > file')
    first.engine.operations.begin = () => {}
    const input = action === 'actions/restore' ? { snapshot_id: id } : body
    const begun = await before.call('POST', `/computers/c-change/${action}`, input)
    assert.equal(begun.status, 202, JSON.stringify(begun.body))
    await first.stop('SIGKILL')
    const next = await TestApp.start({ env })
    try {
      const api = new AgentComputers(next)
      const operation = await api.settled(begun.body.operation.id)
      assert.equal(operation.status, 'succeeded', operation.error_message)
      assert.ok(await check(api))
    } finally {
      await next.stop()
    }
  })
