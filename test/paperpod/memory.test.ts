import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { TestServer } from '../support/server.ts'

const MiB = 1024 * 1024

describe('agent memory', () => {
  let server: TestServer
  let token: string

  before(async () => {
    server = await TestServer.start()
    token = await server.newAccount()
  })
  after(() => server.stop())

  const call = (route: string, body: Record<string, unknown> = {}, as = token) =>
    server.post(`/memory/${route}`, body, { token: as })

  test('write, read, list, usage and delete have the fields of the document', async () => {
    const write = await call('write', { path: 'data/results.json', content: '{"ü":1}' })
    assert.deepEqual([write.status, write.body], [200, { success: true, size: 8, path: 'data/results.json' }])
    const read = await call('read', { path: 'data/results.json' })
    assert.deepEqual(read.body, { success: true, content: '{"ü":1}', size: 8 })
    const list = await call('list')
    const [{ modified, ...file }] = list.body.files
    assert.deepEqual([list.body.success, file], [true, { path: 'data/results.json', size: 8 }])
    assert.equal(new Date(modified).toISOString(), modified)
    assert.deepEqual((await call('usage')).body, { usedBytes: 8, quotaBytes: 10 * MiB, fileCount: 1 })
    assert.deepEqual((await call('delete', { path: 'data/results.json' })).body, {
      success: true,
      path: 'data/results.json',
    })
    assert.deepEqual((await call('usage')).body, { usedBytes: 0, quotaBytes: 10 * MiB, fileCount: 0 })
  })

  test('usage takes a request without a body', async () => {
    const { status, body } = await server.call('POST', '/memory/usage', undefined, { token })
    assert.deepEqual([status, body.quotaBytes], [200, 10 * MiB])
  })

  test('a second write replaces the first, and counts once', async () => {
    await call('write', { path: 'twice', content: 'a'.repeat(100) })
    await call('write', { path: 'twice', content: 'b' })
    assert.equal((await call('read', { path: 'twice' })).body.content, 'b')
    assert.equal((await call('usage')).body.usedBytes, 1)
    await call('delete', { path: 'twice' })
  })

  test('list takes a prefix as it is, with no wildcard in it', async () => {
    for (const path of ['a/1', 'a/2', 'ab', 'a%', 'a_x', 'A/1']) await call('write', { path, content: '' })
    const names = async (prefix?: string) =>
      (await call('list', prefix === undefined ? {} : { prefix })).body.files.map(({ path }: { path: string }) => path)
    assert.deepEqual(await names('a/'), ['a/1', 'a/2'])
    assert.deepEqual(await names('a%'), ['a%'])
    assert.deepEqual(await names('a_'), ['a_x'])
    assert.deepEqual(await names('zzz'), [])
    assert.equal((await names()).length, 6)
    for (const path of await names()) await call('delete', { path })
  })

  test('keeps every text as it was', async () => {
    for (const content of ['', '\0', 'ü€😀', '\r\n', 'x'.repeat(MiB)]) {
      await call('write', { path: 'text', content })
      assert.equal((await call('read', { path: 'text' })).body.content, content)
    }
    await call('delete', { path: 'text' })
  })

  for (const path of [
    '/abs',
    '../x',
    'a/../b',
    'ü €',
    'a//b',
    '.',
    'a'.repeat(512),
    '__proto__',
    "'; DROP TABLE x; --",
  ])
    test(`${JSON.stringify(path.slice(0, 30))} is a name like any other`, async () => {
      await call('write', { path, content: path })
      assert.equal((await call('read', { path })).body.content, path)
      assert.equal((await call('delete', { path })).status, 200)
    })

  for (const [why, path] of [
    ['empty', ''],
    ['of 513 characters', 'a'.repeat(513)],
    ['with a NUL', 'a\0b'],
    ['a number', 5],
  ] as const)
    test(`a path that is ${why} is refused with 400 that names it`, async () => {
      const { status, body } = await call('write', { path, content: '' })
      assert.deepEqual([status, body.field], [400, 'path'])
    })

  test('what is missing is 404', async () => {
    for (const route of ['read', 'delete']) {
      const { status, body } = await call(route, { path: 'none' })
      assert.deepEqual([status, body.code], [404, 'NOT_FOUND'])
    }
  })

  test('the quota of 10 MiB holds to the byte, and says by how much it is exceeded', async () => {
    const own = await server.newAccount()
    assert.equal((await call('write', { path: 'most', content: 'x'.repeat(10 * MiB - 1) }, own)).status, 200)
    assert.equal((await call('write', { path: 'last', content: 'y' }, own)).status, 200)
    const { status, body } = await call('write', { path: 'over', content: 'é' }, own)
    assert.deepEqual([status, body.code, body.overBytes], [507, 'DISK_FULL', 2])
    assert.equal((await call('write', { path: 'last', content: 'z' }, own)).status, 200)
    assert.deepEqual((await call('usage', {}, own)).body, { usedBytes: 10 * MiB, quotaBytes: 10 * MiB, fileCount: 2 })
  })

  test('writes at once do not get past the quota together', async () => {
    const own = await server.newAccount()
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => call('write', { path: `p${index}`, content: 'x'.repeat(MiB) }, own)),
    )
    assert.equal(answers.filter(({ status }) => status === 200).length, 10)
    assert.equal((await call('usage', {}, own)).body.usedBytes, 10 * MiB)
  })

  test('memory outlives the server', async () => {
    await call('write', { path: 'kept', content: 'over a restart' })
    await server.stop()
    server = await TestServer.start()
    assert.equal((await call('read', { path: 'kept' })).body.content, 'over a restart')
  })
})
