import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { transaction } from '../../src/db/transaction.ts'
import { openDatabase } from '../../src/db/open.ts'
import { serverDatabase } from '../support/server-database.ts'
import { TestApp } from '../support/test-app.ts'

const MiB = 1024 * 1024

describe('agent memory', () => {
  let server: TestApp
  let token: string

  before(async () => {
    server = await TestApp.start()
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

  test('list takes a prefix literally, without wildcards', async () => {
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

  test('keeps every text unchanged', async () => {
    for (const content of ['', '\0', 'ü€😀', '\r\n', 'x'.repeat(MiB)]) {
      await call('write', { path: 'text', content })
      assert.equal((await call('read', { path: 'text' })).body.content, content)
    }
    await call('delete', { path: 'text' })
  })

  for (const path of [
    'ü €',
    'a\nb\t\u001b[2J',
    'e\u0301 and \u00e9',
    '数据/результаты 😀.json',
    '%2e%2e%2f',
    '...',
    'a'.repeat(512),
    '__proto__',
    "'; DROP TABLE x; --",
  ])
    test(`${JSON.stringify(path.slice(0, 30))} is a name like any other`, async () => {
      await call('write', { path, content: path })
      assert.equal((await call('read', { path })).body.content, path)
      assert.equal((await call('delete', { path })).status, 200)
    })

  test('every spelling of a path is one file, which answers name in one way', async () => {
    const spellings = ['/a/x', 'a/x', 'a//x/', './a/./x', 'b/../a/x', '../a/x']
    for (const path of spellings) {
      assert.equal((await call('write', { path, content: path })).body.path, 'a/x')
      for (const other of spellings) assert.equal((await call('read', { path: other })).body.content, path)
    }
    for (const prefix of ['/a/', 'a/', './a//', '/a/x', ''])
      assert.deepEqual(
        (await call('list', { prefix })).body.files.map((file: { path: string }) => file.path),
        ['a/x'],
        prefix,
      )
    assert.deepEqual((await call('delete', { path: '/a/x' })).body, { success: true, path: 'a/x' })
    assert.equal((await call('usage')).body.fileCount, 0)
  })

  for (const [why, path] of [
    ['empty', ''],
    ['a slash alone', '/'],
    ['above all files', 'a/../..'],
    ['of 513 characters', 'a'.repeat(513)],
    ['with a NUL', 'a\0b'],
    ['a number', 5],
  ] as const)
    test(`a path that is ${why} is refused with 400 and its name`, async () => {
      const { status, body } = await call('write', { path, content: '' })
      assert.deepEqual([status, body.field], [400, 'path'])
    })

  test('a missing file is 404', async () => {
    for (const route of ['read', 'delete']) {
      const { status, body } = await call(route, { path: 'none' })
      assert.deepEqual([status, body.code], [404, 'NOT_FOUND'])
    }
  })

  test('the quota of 10 MiB holds to the byte, and a refusal says by how much it is exceeded', async () => {
    const own = await server.newAccount()
    assert.equal((await call('write', { path: 'most', content: 'x'.repeat(10 * MiB - 1) }, own)).status, 200)
    assert.equal((await call('write', { path: 'last', content: 'y' }, own)).status, 200)
    const { status, body } = await call('write', { path: 'over', content: 'é' }, own)
    assert.deepEqual([status, body.code, body.overBytes], [507, 'DISK_FULL', 2])
    assert.equal((await call('write', { path: 'last', content: 'z' }, own)).status, 200)
    assert.deepEqual((await call('usage', {}, own)).body, { usedBytes: 10 * MiB, quotaBytes: 10 * MiB, fileCount: 2 })
  })

  test('an account has at most 10,000 files', async () => {
    const own = await server.newAccount('many')
    const db = await openDatabase(await serverDatabase())
    const { id } = await db
      .selectFrom('accounts')
      .select('id')
      .orderBy('created_at', 'desc')
      .where('name', '=', 'many')
      .executeTakeFirstOrThrow()
    await transaction(db, 'operational', async (transaction) => {
      for (let index = 0; index < 9999; index++) {
        const row = { account_id: id, path: `f${index}`, content: Buffer.of(), size: 0, modified_at: 0 }
        await transaction.insertInto('memory_files').values(row).execute()
      }
    })
    await db.destroy()
    assert.equal((await call('write', { path: 'last', content: '' }, own)).status, 200)
    const { status, body } = await call('write', { path: 'over', content: '' }, own)
    assert.deepEqual([status, body.code, body.limit], [429, 'LIMIT_REACHED', 10_000])
    assert.equal((await call('write', { path: 'last', content: 'again' }, own)).status, 200)
    assert.equal((await call('list', { prefix: 'f99' }, own)).body.files.length, 111 - 1)
    assert.equal((await call('usage', {}, own)).body.fileCount, 10_000)
  })

  test('concurrent writes together cannot exceed the quota', async () => {
    const own = await server.newAccount()
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => call('write', { path: `p${index}`, content: 'x'.repeat(MiB) }, own)),
    )
    assert.equal(answers.filter(({ status }) => status === 200).length, 10)
    assert.equal((await call('usage', {}, own)).body.usedBytes, 10 * MiB)
  })

  test('different names that look the same are different files', async () => {
    for (const path of ['e\u0301', '\u00e9', 'E\u0301', ' e\u0301']) await call('write', { path, content: path })
    for (const path of ['e\u0301', '\u00e9', 'E\u0301', ' e\u0301']) {
      assert.equal((await call('read', { path })).body.content, path)
      await call('delete', { path })
    }
  })

  test('half a surrogate pair is refused, in a path and in the content', async () => {
    for (const field of ['path', 'content']) {
      const { status, body } = await call('write', { path: 'x', content: 'x', [field]: 'a\ud83d' })
      assert.deepEqual([status, body.field], [400, field])
    }
  })

  test('50 concurrent writers of one file never mix, and no reader sees a part', async () => {
    const contents = Array.from({ length: 50 }, (_, index) => `${index} `.repeat(20_000 + index))
    await call('write', { path: 'shared', content: contents[0] })
    const answers = await Promise.all(
      contents.flatMap((content) => [call('write', { path: 'shared', content }), call('read', { path: 'shared' })]),
    )
    assert.ok(answers.every(({ status }) => status === 200))
    const seen = answers.flatMap(({ body }) => ('content' in body ? [body.content as string] : []))
    assert.equal(seen.length, 50)
    assert.ok(seen.every((content) => contents.includes(content)))
    assert.ok(new Set(seen).size > 1)
    const last = (await call('read', { path: 'shared' })).body.content
    assert.ok(contents.includes(last))
    assert.equal((await call('usage')).body.usedBytes, last.length)
    await call('delete', { path: 'shared' })
  })

  test('memory is invisible to other accounts', async () => {
    await call('write', { path: 'kept', content: 'beyond' })
    const other = await server.newAccount()
    assert.equal((await call('read', { path: 'kept' }, other)).status, 404)
    assert.deepEqual((await call('list', {}, other)).body.files, [])
    assert.equal((await call('delete', { path: 'kept' }, other)).status, 404)
    assert.equal((await call('read', { path: 'kept' })).body.content, 'beyond')
  })

  test('memory outlives the server', async () => {
    await call('write', { path: 'kept', content: 'over a restart' })
    await server.stop()
    server = await TestApp.start()
    assert.equal((await call('read', { path: 'kept' })).body.content, 'over a restart')
  })
})
