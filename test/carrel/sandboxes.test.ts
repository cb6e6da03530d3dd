import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { createSandbox } from '../../src/engine/computers/lifecycle/create-sandbox.ts'
import { TestApp } from '../support/test-app.ts'

interface Sandbox {
  sandbox_id: string
  name: string
  state: string
  [field: string]: unknown
}

describe('/v1/sandboxes', { timeout: 60_000 }, () => {
  let server: TestApp
  let token: string
  before(async () => {
    server = await TestApp.start()
    token = await server.newAccount('sandboxes')
  })
  after(() => server.stop())

  const post = (path: string, body: Record<string, unknown> = {}) => server.post(path, body, { token })
  const list = async (query = ''): Promise<Sandbox[]> =>
    (await server.call('GET', `/v1/sandboxes${query}`, undefined, { token })).body.sandboxes
  const find = async (name: string): Promise<Sandbox> => (await list(`?name=${name}`))[0]!
  const remove = (id: string) => server.call('DELETE', `/v1/sandboxes/${id}`, undefined, { token })

  test('lists what runs in each sandbox, by name, and the one that is asked for', async () => {
    assert.deepEqual(await list(), [])
    await post('/process/start', { command: 'sleep 600', processId: 'web', sessionId: 'build' })
    await post('/expose', { port: 8080, sessionId: 'build' })
    await post('/execute', { code: 'true', language: 'shell' })
    const [own, build, ...others] = await list()
    assert.deepEqual([own?.name, build?.name, others], ['', 'build', []])
    assert.deepEqual([own?.['processes'], build?.['processes'], build?.['idle_seconds']], [0, 1, 0])
    assert.deepEqual([build?.state, build?.['state_reason']], ['running', null])
    assert.deepEqual(build?.['ports'], [{ port: 8080, exposed: true, listening: false }])
    assert.ok(typeof own?.['idle_seconds'] === 'number' && own['idle_timeout_seconds'] === 600)
    assert.deepEqual(await list('?name='), [await find('')])
    assert.deepEqual(await list('?name=none'), [])
  })

  test('listing neither uses nor starts a sandbox', async () => {
    const { sandbox_id: id } = await find('')
    const before = server.engine.activity.lastUsedAtMs(id)
    await list()
    assert.equal(server.engine.activity.lastUsedAtMs(id), before)
  })

  test('stop ends the programs and deletes the files; the name, the ports and the output stay', async () => {
    await post('/files/write', { path: '/workspace/kept', content: 'x', sessionId: 'build' })
    const { sandbox_id: id } = await find('build')
    for (const _ of ['stops it', 'does nothing']) {
      const { status, body } = await post(`/v1/sandboxes/${id}/stop`)
      assert.deepEqual([status, body.sandbox_id], [200, id])
    }
    const stopped = await find('build')
    assert.deepEqual([stopped.state, stopped['state_reason'], stopped['idle_seconds']], ['stopped', 'requested', null])
    assert.deepEqual(stopped['ports'], [{ port: 8080, exposed: true, listening: false }])
    const { body } = await post('/process/get', { processId: 'web', sessionId: 'build' })
    assert.equal(body.process.status, 'stopped')
    assert.equal((await post('/files/read', { path: '/workspace/kept', sessionId: 'build' })).status, 404)
    assert.deepEqual([(await find('build')).sandbox_id, (await find('build')).state], [id, 'running'])
  })

  test('delete frees the name: its next use makes another sandbox', async () => {
    const { sandbox_id: id } = await find('build')
    assert.equal((await remove(id)).status, 200)
    assert.equal(await find('build'), undefined)
    for (const again of [await remove(id), await post(`/v1/sandboxes/${id}/stop`)])
      assert.deepEqual([again.status, again.body.code], [404, 'NOT_FOUND'])
    await post('/execute', { code: 'true', language: 'shell', sessionId: 'build' })
    assert.notEqual((await find('build')).sandbox_id, id)
  })

  test('pages follow each other without gaps, also after the default sandbox', async () => {
    const { account_id: accountId } = await server.db
      .selectFrom('computers')
      .select('account_id')
      .where('name', '=', 'build')
      .executeTakeFirstOrThrow()
    for (let number = 0; number < limits.sandboxesPerPage; number++)
      await createSandbox(server.engine, { accountId: accountId!, tokenId: 'test' }, `n${number}`)
    const page = async (query: string) => (await server.call('GET', `/v1/sandboxes${query}`, undefined, { token })).body
    const first = await page('')
    const second = await page(`?cursor=${first.next_cursor}`)
    const names = [...first.sandboxes, ...second.sandboxes].map(({ name }: Sandbox) => name)
    assert.deepEqual([first.sandboxes.length, second.next_cursor], [limits.sandboxesPerPage, null])
    assert.equal(new Set(names).size, limits.sandboxesPerPage + 2)
    assert.deepEqual(names, names.toSorted())
  })
})
