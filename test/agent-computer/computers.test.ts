import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { TestApp } from '../support/test-app.ts'
import { until } from '../support/server.ts'

const GiB = 1024 ** 3

/** The computers of the document, on a host with room for a hundred of the smallest. */
describe('the computers of Agent Computer', { timeout: 120_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start({ env: { CARREL_MEMORY_OVERCOMMIT: '100', CARREL_DISK_OVERCOMMIT: '100' } })
  })
  after(() => server.stop())

  const call = (method: string, path: string, body?: unknown, options: object = {}) =>
    server.call(method, `/v1/computers${path}`, body, options)
  const settled = async (operation: { id: string }) => {
    const { body } = await until(
      () => server.call('GET', `/v1/operations/${operation.id}`),
      ({ body }) => body.operation.status !== 'running',
    )
    return body.operation
  }
  const create = async (body: Record<string, unknown> = {}) => {
    const answer = await call('POST', '', body)
    assert.equal(answer.status, 202, JSON.stringify(answer.body))
    assert.equal((await settled(answer.body.operation)).status, 'succeeded')
    return (await call('GET', `/${answer.body.computer.id}`)).body.computer
  }
  const act = async (id: string, action: string) => {
    const { status, body } = await call('POST', `/${id}/actions/${action}`)
    if (body.operation) await settled(body.operation)
    return { status, body }
  }

  test('a create answers at once, and its operation ends when the computer runs', async () => {
    const { status, body } = await call('POST', '', {
      handle: 'first',
      display_name: 'The first',
      size_preset: 'ram-4g',
    })
    assert.equal(status, 202)
    assert.equal(body.computer.state, 'provisioning')
    assert.deepEqual(
      [body.operation.kind, body.operation.resource_type, body.operation.resource_id],
      ['computer.create', 'computer', body.computer.id],
    )
    const operation = await settled(body.operation)
    assert.deepEqual([operation.status, operation.progress, operation.error_message], ['succeeded', 1, null])
    const { body: read } = await call('GET', '/first')
    assert.equal(read.operation, undefined)
    const { state, display_name, size_preset, requested_memory_mib, requested_storage_bytes } = read.computer
    assert.deepEqual(
      [state, display_name, size_preset, requested_memory_mib, requested_storage_bytes],
      ['running', 'The first', 'ram-4g', 4096, 10 * GiB],
    )
  })

  test('without a body, it gets the smallest preset and a name that people can remember', async () => {
    const { handle, display_name, size_preset, source_kind, viewer_access } = await create()
    assert.match(handle, /^[a-z]+-[a-z]+-\d{4}$/)
    assert.deepEqual([display_name, size_preset, source_kind], [handle, 'ram-2g', 'image'])
    assert.deepEqual([viewer_access.role, viewer_access.can_delete], ['owner', true])
  })

  test('a handle works wherever an id does, and is unique in the workspace', async () => {
    const { id } = await create({ handle: 'by-name' })
    assert.equal((await call('GET', '/by-name')).body.computer.id, id)
    const { status, body } = await call('POST', '', { handle: 'by-name' })
    assert.deepEqual([status, body.error.code], [409, 'already_exists'])
    assert.match(body.error.message, /"by-name"/)
  })

  test('of several creates with one Idempotency-Key there is one computer, also after its answer was lost', async () => {
    const options = { headers: { 'idempotency-key': 'once' } }
    const first = await call('POST', '', { handle: 'once' }, options)
    assert.deepEqual((await call('POST', '', { handle: 'once' }, options)).body, first.body)
    await server.db.deleteFrom('idempotency').where('key', '=', 'once').execute()
    const again = await call('POST', '', { handle: 'once' }, options)
    assert.deepEqual([again.status, again.body.computer.id], [202, first.body.computer.id])
  })

  test('its files stay when it stops', async () => {
    const { id } = await create({ handle: 'lasting' })
    const exec = (command: string[]) => call('POST', '/lasting/exec', { command })
    assert.equal((await exec(['bash', '-c', 'echo kept > file'])).status, 200)
    assert.equal((await act(id, 'stop')).body.computer.state, 'stopping')
    assert.equal((await call('GET', '/lasting')).body.computer.state, 'stopped')
    const refused = await exec(['true'])
    assert.deepEqual([refused.status, refused.body.error.code, refused.body.state], [409, 'conflict', 'stopped'])
    assert.equal((await act(id, 'start')).body.computer.state, 'starting')
    const { body } = await exec(['cat', 'file'])
    assert.deepEqual([body.exit_code, body.stdout, body.stderr], [0, 'kept\n', ''])
  })

  test('an action that does not fit the state is a conflict that names the state', async () => {
    const { id } = await create()
    const started = await act(id, 'start')
    assert.deepEqual([started.status, started.body.error.code, started.body.state], [409, 'conflict', 'running'])
    await act(id, 'stop')
    const stopped = await act(id, 'stop')
    assert.deepEqual([stopped.status, stopped.body.error.message], [409, 'Cannot stop the computer: it is stopped'])
  })

  test('ensure-ready starts a stopped computer, and does nothing to one that runs', async () => {
    const { id } = await create()
    const running = await act(id, 'ensure-ready')
    assert.deepEqual([running.status, running.body.computer.state, running.body.operation], [202, 'running', undefined])
    await act(id, 'stop')
    const woken = await act(id, 'ensure-ready')
    assert.deepEqual([woken.status, woken.body.operation.kind], [202, 'computer.start'])
    assert.equal((await call('GET', `/${id}`)).body.computer.state, 'running')
  })

  test('exec returns how a program ended, and takes a directory, variables and a user', async () => {
    const { id } = await create()
    const exec = async (body: object) => (await call('POST', `/${id}/exec`, body)).body
    const failed = await exec({ command: ['bash', '-c', 'echo out; echo err >&2; exit 3'] })
    assert.deepEqual([failed.exit_code, failed.stdout, failed.stderr, failed.reason], [3, 'out\n', 'err\n', 'exited'])
    const { stdout } = await exec({ command: ['bash', '-c', 'echo $A; pwd'], env: { A: 'b' }, cwd: '/tmp' })
    assert.equal(stdout, 'b\n/tmp\n')
    const late = await exec({ command: ['sleep', '60'], timeout_ms: 50 })
    assert.equal(late.reason, 'timeout')
  })

  test('a deleted computer is gone, and so is its name', async () => {
    const { id } = await create({ handle: 'short' })
    const { status, body } = await call('DELETE', '/short')
    assert.deepEqual([status, body.computer.state, body.operation.kind], [202, 'deleting', 'computer.delete'])
    assert.equal((await settled(body.operation)).status, 'succeeded')
    const missing = await call('GET', `/${id}`)
    assert.deepEqual([missing.status, missing.body.error.code], [404, 'not_found'])
    await create({ handle: 'short' })
  })

  test('names can be changed', async () => {
    const { id } = await create({ handle: 'old' })
    const { body } = await call('PATCH', '/old', { handle: 'new', display_name: 'Büro ☃' })
    assert.deepEqual([body.computer.id, body.computer.handle, body.computer.display_name], [id, 'new', 'Büro ☃'])
    assert.equal((await call('GET', '/old')).status, 404)
    assert.equal((await call('PATCH', '/new', { display_name: null })).body.computer.display_name, 'new')
    await create({ handle: 'taken' })
    assert.equal((await call('PATCH', '/new', { handle: 'taken' })).status, 409)
  })

  for (const [what, body, field] of [
    ['a size that is none', { size_preset: 'ram-3g' }, 'ram-3g'],
    ['memory without storage', { requested_memory_mib: 4096 }, 'both memory and storage'],
    ['memory off the step', { requested_memory_mib: 2500, requested_storage_bytes: 5 * GiB }, 'memory'],
    ['storage beyond the bound', { requested_memory_mib: 2048, requested_storage_bytes: 251 * GiB }, 'storage'],
    ['a preset with other numbers', { size_preset: 'ram-2g', requested_memory_mib: 4096 }, 'ram-2g'],
    ['a handle in capitals', { handle: 'Loud' }, 'handle'],
    ['a handle of 4,000 characters', { handle: 'a'.repeat(4000) }, 'handle'],
    ['another platform', { platform: 'macos' }, 'platform'],
  ] as const)
    test(`${what} is refused, and nothing is made`, async () => {
      const count = async () => (await call('GET', '')).body.computers.length
      const earlier = await count()
      const { status, body: refused } = await call('POST', '', body)
      assert.deepEqual([status, refused.error.code], [400, 'invalid_request'])
      assert.match(refused.error.message, new RegExp(field))
      assert.equal(await count(), earlier)
    })

  test('an image is given by its id or its name, and one that does not exist is not found', async () => {
    const { status, body: refused } = await call('POST', '', { source: { kind: 'image', image_id: 'none' } })
    const [image] = (await server.call('GET', '/v1/computer-images')).body.images
    const name = image.display_name
    assert.deepEqual([status, refused.error.message], [404, `Cannot find image "none": there is "${name}"`])
    const { body } = await server.call('GET', `/v1/computer-images/${image.id}`)
    assert.deepEqual([body.image, body.image.status], [image, 'active'])
    for (const image_id of [image.id, name])
      assert.equal((await create({ source: { kind: 'image', image_id } })).image_id, image.id)
    assert.deepEqual((await server.call('GET', `/v1/computer-images/${name}`)).body, body)
  })

  test('a sandbox of the same account is no computer of this API, and shares its names', async () => {
    await server.shell('true', { sessionId: 'box' })
    assert.equal((await call('GET', '/box')).status, 404)
    assert.equal((await call('POST', '', { handle: 'box' })).status, 409)
    await create({ handle: 'shared-name' })
    await call('POST', '/shared-name/exec', { command: ['bash', '-c', 'echo one > place'] })
    assert.equal((await server.shell('cat place', { sessionId: 'shared-name' })).stdout, 'one\n')
  })

  test('the presets are public', async () => {
    const { status, body } = await server.call('GET', '/v1/computer-size-presets', undefined, { token: null })
    assert.equal(status, 200)
    assert.deepEqual(
      body.presets.map((preset: Record<string, unknown>) => [
        preset['id'],
        preset['memory_mib'],
        preset['storage_bytes'],
      ]),
      [
        ['ram-2g', 2048, 5 * GiB],
        ['ram-4g', 4096, 10 * GiB],
        ['ram-8g', 8192, 25 * GiB],
      ],
    )
  })
})

describe('the capacity of the host', { timeout: 60_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start()
    // Room for one computer of 2 GiB that runs, and for the storage of three.
    const { settings, node } = server.engine
    Object.assign(settings, { memoryOvercommit: 1, diskOvercommit: 1 })
    await server.db.deleteFrom('computers').where('lifecycle', '=', 'durable').execute()
    await server.db
      .updateTable('nodes')
      .set({ memory_bytes: 3 * GiB, disk_bytes: 15 * GiB })
      .where('id', '=', node.id)
      .execute()
  })
  after(() => server.stop())

  const check = async (body: object) => (await server.post('/v1/computer-capacity/check', body)).body
  const create = (handle: string) => server.post('/v1/computers', { handle })
  const state = async (handle: string) => (await server.call('GET', `/v1/computers/${handle}`)).body.computer?.state

  test('a check says what fits, and why not', async () => {
    const fits = await check({ size_preset: 'ram-2g' })
    assert.deepEqual([fits.available, fits.reason_code, fits.matching_hosts], [true, undefined, 1])
    assert.deepEqual([fits.available_memory_mib, fits.max_memory_mib, fits.max_storage_bytes], [3072, 3072, 15 * GiB])
    assert.equal((await check({ size_preset: 'ram-4g' })).reason_code, 'insufficient_memory')
    const large = { requested_memory_mib: 2048, requested_storage_bytes: 20 * GiB }
    assert.equal((await check(large)).reason_code, 'insufficient_storage')
    assert.equal((await check({ requested_memory_mib: 1, requested_storage_bytes: 1 })).reason_code, 'invalid_size')
    const other = await check({ platform: 'macos' })
    assert.deepEqual([other.available, other.reason_code], [false, 'platform_unavailable'])
  })

  test('a create that does not fit is refused before anything is made; memory is free again after a stop', async () => {
    assert.equal((await create('one')).status, 202)
    await until(
      () => state('one'),
      (now) => now === 'running',
    )
    const refused = await create('two')
    assert.deepEqual([refused.status, refused.body.error.code], [503, 'no_capacity'])
    assert.match(refused.body.error.message, /needs 2048 MiB of memory, and the host has 1024 MiB/)
    assert.equal(await state('two'), undefined)
    assert.equal((await check({ computer_id: 'one', size_preset: 'ram-2g' })).available, true)
    await server.post('/v1/computers/one/actions/stop', {})
    await until(
      () => state('one'),
      (now) => now === 'stopped',
    )
    assert.equal((await create('two')).status, 202)
    const { status, body } = await server.post('/v1/computers/one/actions/start', {})
    assert.deepEqual([status, body.error.code], [503, 'no_capacity'])
    assert.equal(await state('one'), 'stopped')
  })
})
