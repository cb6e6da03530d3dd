import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { signInByMail } from '../identity/outbox.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

const workspace = '/home/node/workspace'
const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('files/ops of Agent Computer', { timeout: 120_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start({
      env: { CARREL_MEMORY_OVERCOMMIT: '100', CARREL_DISK_OVERCOMMIT: '100', CARREL_SIGN_INS_PER_MINUTE: '0' },
    })
  })
  after(() => server.stop())

  const computers = (method: string, path: string, body?: object) => server.call(method, `/v1/computers${path}`, body)
  const stateOf = async (handle: string) => (await computers('GET', `/${handle}`)).body.computer.state
  const create = async (handle: string) => {
    assert.equal((await computers('POST', '', { handle })).status, 202)
    await until(
      () => stateOf(handle),
      (state) => state === 'running',
    )
  }
  const stop = async (handle: string) => {
    await computers('POST', `/${handle}/actions/stop`)
    await until(
      () => stateOf(handle),
      (state) => state === 'stopped',
    )
  }

  for (const state of ['running', 'stopped'] as const)
    describe(`on a computer that is ${state}`, () => {
      const handle = `files-${state}`
      before(async () => {
        await create(handle)
        if (state === 'stopped') await stop(handle)
      })
      after(async () => assert.equal(await stateOf(handle), state))

      const send = (operation: string, path: string | undefined, more: object = {}) =>
        computers('POST', `/${handle}/files/ops`, {
          operation,
          ...(path === undefined ? {} : { path: path.startsWith('/') || path === '' ? path : `${workspace}/${path}` }),
          ...more,
        })
      const done = async (operation: string, path: string | undefined, more: object = {}) => {
        const { status, body } = await send(operation, path, more)
        assert.equal(status, 200, JSON.stringify(body))
        return body
      }
      const refused = async (
        expected: [number, string],
        operation: string,
        path: string | undefined,
        more: object = {},
      ) => {
        const { status, body } = await send(operation, path, more)
        assert.deepEqual([status, body.error?.code], expected, `${operation} ${path}: ${JSON.stringify(body)}`)
        return body.error.message as string
      }

      test('the examples of the document: write a file, read it, list the workspace', async () => {
        const content = 'hello from the API\n'
        assert.deepEqual(await done('write_text', 'notes.txt', { content, mode: 420 }), {})
        assert.deepEqual(await done('write_text', 'src/a.ts', { content: 'ä' }), {})
        assert.deepEqual(await done('read_text', 'notes.txt'), { content })
        const expected = {
          entries: [
            { path: 'notes.txt', name: 'notes.txt', type: 'file', size_bytes: 19, mode: 420 },
            { path: 'src', name: 'src', type: 'directory', mode: 493 },
          ],
        }
        for (const path of [workspace, '', `${workspace}/`, `${workspace}/src/..`])
          assert.deepEqual(await done('list', path, { recursive: false }), expected, path)
        assert.deepEqual(await done('list', undefined), expected)
        assert.deepEqual(await done('list', 'src'), {
          entries: [{ path: 'src/a.ts', name: 'a.ts', type: 'file', size_bytes: 2, mode: 420 }],
        })
      })

      test('bytes and ranges are read and written; a range past the end is empty', async () => {
        await done('write_bytes', 'b/bytes', { content_base64: base64('0123456789'), mode: 0o600 })
        assert.deepEqual(await done('read_bytes', 'b/bytes'), { content_base64: base64('0123456789') })
        const range = async (offset: number, length: number) =>
          (await done('read_range', 'b/bytes', { offset, length })).content_base64
        assert.deepEqual(
          [await range(2, 3), await range(8, 100), await range(10, 5), await range(99, 1), await range(0, 0)],
          [base64('234'), base64('89'), '', '', ''],
        )
        await done('write_range', 'b/bytes', { offset: 12, content_base64: base64('end') })
        await done('write_range', 'b/bytes', { offset: 1, content_base64: base64('AB') })
        assert.equal((await done('read_bytes', 'b/bytes')).content_base64, base64('0AB3456789\0\0end'))
        await done('write_range', 'b/made', { offset: 2, content_base64: base64('x') })
        assert.equal((await done('read_text', 'b/made')).content, '\0\0x')
        assert.deepEqual((await done('stat', 'b/bytes')).stat, {
          path: 'b/bytes',
          type: 'file',
          size_bytes: 15,
          mode: 0o600,
        })
      })

      test('stat and exists describe a path; the workspace itself is a dot', async () => {
        assert.deepEqual((await done('stat', '')).stat, { path: '.', type: 'directory', mode: 493 })
        await done('write_text', 'there', { content: '' })
        const exists = async (path: string) => (await done('exists', path)).exists
        assert.deepEqual(
          [await exists('there'), await exists('nowhere'), await exists('there/x')],
          [true, false, false],
        )
        await refused([404, 'not_found'], 'stat', 'nowhere')
      })

      test('mkdir, move and remove', async () => {
        await done('mkdir', 'm')
        await refused([409, 'already_exists'], 'mkdir', 'm')
        await refused([404, 'not_found'], 'mkdir', 'deep/er')
        await done('mkdir', 'm/deep/er', { recursive: true, mode: 0o700 })
        await done('mkdir', 'm/deep/er', { recursive: true })
        assert.equal((await done('stat', 'm/deep/er')).stat.mode, 0o700)
        await done('write_text', 'm/file', { content: 'x' })
        await refused([409, 'already_exists'], 'mkdir', 'm/file', { recursive: true })
        await done('move', 'm/file', { to: `${workspace}/m2/moved` })
        await refused([404, 'not_found'], 'move', 'm/file', { to: `${workspace}/m2/again` })
        await refused([409, 'conflict'], 'move', 'm2', { to: `${workspace}/m` })
        await refused([400, 'invalid_request'], 'remove', 'm')
        await refused([404, 'not_found'], 'remove', 'nothing', { recursive: true })
        await done('remove', 'm2/moved')
        await done('remove', 'm', { recursive: true })
        await refused([404, 'not_found'], 'list', 'm')
        for (const path of ['', workspace, `${workspace}/..`, `${workspace}/.`])
          await refused([400, 'invalid_request'], 'remove', path, { recursive: true })
        await refused([400, 'invalid_request'], 'move', '', { to: `${workspace}/x` })
        await refused([400, 'invalid_request'], 'move', 'there', { to: '/tmp/x' })
        await refused([400, 'invalid_request'], 'move', 'there', { to: workspace })
      })

      test('patch edits in order and everywhere, keeps the mode, and returns the exact version', async () => {
        const versionOf = (text: string) =>
          BigInt.asUintN(63, createHash('sha256').update(text).digest().readBigUInt64BE(0)).toString()
        const patched = async (more: object) => {
          const response = await fetch(`${server.url}/v1/computers/${handle}/files/ops`, {
            method: 'POST',
            headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
            body: JSON.stringify({ operation: 'patch', path: `${workspace}/p`, ...more }),
          })
          // Parsed as a number, the version would lose its last digits.
          return /^\{"version":(\d+)\}$/.exec(await response.text())?.[1]
        }
        await done('write_text', 'p', { content: 'one two one', mode: 0o755 })
        const edits = [
          { find: 'one', replace: 'ö' },
          { find: 'ö t', replace: '' },
          { find: 'missing', replace: 'x' },
        ]
        assert.equal(await patched({ edits }), versionOf('wo ö'))
        assert.equal((await done('read_text', 'p')).content, 'wo ö')
        assert.equal(await patched({ edits, set_contents: 'all new' }), versionOf('all new'))
        assert.deepEqual((await done('stat', 'p')).stat, { path: 'p', type: 'file', size_bytes: 7, mode: 0o755 })
        await refused([400, 'invalid_request'], 'patch', 'p', { edits: [{ find: '', replace: 'x' }] })
        await refused([400, 'invalid_request'], 'patch', 'p')
        for (const change of [{ edits }, { set_contents: '' }])
          await refused([404, 'not_found'], 'patch', 'none', change)
        assert.equal((await done('read_text', 'p')).content, 'all new')
      })

      test('of patches at the same time none is lost, and one that grows without bounds is refused', async () => {
        await done('write_text', 'counter', { content: '.' })
        const edits = [{ find: '.', replace: '.+' }]
        await Promise.all(Array.from({ length: 10 }, () => done('patch', 'counter', { edits })))
        assert.equal((await done('read_text', 'counter')).content, `.${'+'.repeat(10)}`)
        await done('write_text', 'grown', { content: 'a'.repeat(10_000) })
        const growing = [{ find: 'a', replace: 'a'.repeat(10_000) }]
        await refused([413, 'too_large'], 'patch', 'grown', { edits: growing })
        assert.equal((await done('stat', 'grown')).stat.size_bytes, 10_000)
      })

      test('text that is not UTF-8 is an error that names read_bytes', async () => {
        await done('write_bytes', 'latin1', { content_base64: Buffer.from([0x61, 0xe9]).toString('base64') })
        assert.match(await refused([400, 'invalid_request'], 'read_text', 'latin1'), /not UTF-8 text; use read_bytes/)
        assert.match(
          await refused([400, 'invalid_request'], 'patch', 'latin1', { edits: [{ find: 'a', replace: 'b' }] }),
          /use read_bytes/,
        )
        assert.equal((await done('read_bytes', 'latin1')).content_base64, 'Yek=')
      })

      test('list goes through a tree in the order of paths, a page at a time', async () => {
        const paths = ['t/a/b/c', 't/a/z', 't/a-b/x', 't/a-b/y', 't/a.txt', 't/aa', 't/a!/deep/er', 't/b/x']
        for (const path of paths) await done('write_text', path, { content: '' })
        const all = (await done('list', 't', { recursive: true })).entries.map(({ path }: { path: string }) => path)
        const expected = [...paths, 't/a', 't/a/b', 't/a-b', 't/a!', 't/a!/deep', 't/b'].toSorted()
        assert.deepEqual(all, expected)
        for (const path of expected.slice(0, -1)) {
          const cursor = Buffer.from(path.slice(2)).toString('base64url')
          const { entries } = await done('list', 't', { recursive: true, cursor })
          assert.deepEqual(entries[0].path, expected[expected.indexOf(path) + 1], `after ${path}`)
          assert.equal(entries.length, expected.length - expected.indexOf(path) - 1, `after ${path}`)
        }
      })

      test('grep finds lines, and says when there are more', async () => {
        await done('write_text', 'g/one.py', { content: 'x = 1\nprint(x)\n' })
        await done('write_text', 'g/two.py', { content: 'PRINT(2)\n' })
        assert.deepEqual(await done('grep', 'g', { pattern: 'print(' }), {
          matches: [{ path: 'g/one.py', line: 2, match: 'print(x)' }],
        })
        const found = await done('grep', 'g', {
          pattern: '^print',
          regex: true,
          case_insensitive: true,
          max_matches: 1,
        })
        assert.deepEqual([found.matches.length, found.truncated], [1, true])
        assert.equal((await done('grep', 'g/two.py', { pattern: 'PRINT' })).matches[0].path, 'g/two.py')
        assert.match(
          await refused([400, 'invalid_request'], 'grep', 'g', { pattern: '(', regex: true }),
          /Cannot search for "\("/,
        )
        await refused([400, 'invalid_request'], 'grep', 'g')
        await refused([404, 'not_found'], 'grep', 'nothing', { pattern: 'x' })
      })

      test('a path has to be absolute and below the workspace', async () => {
        for (const path of ['/etc/passwd', '/', `${workspace}2/x`, `${workspace}/../.bashrc`, `${workspace}/a\0b`])
          for (const operation of ['read_text', 'list', 'stat', 'exists', 'remove'])
            await refused([400, 'invalid_request'], operation, path)
        const { body } = await computers('POST', `/${handle}/files/ops`, { operation: 'read_text', path: 'notes.txt' })
        assert.match(body.error.message, /not absolute; did you mean "\/home\/node\/workspace\/notes.txt"\?/)
      })

      test('requests that cannot be meant are refused, each with a reason', async () => {
        const bad: [string, object, string][] = [
          ['write_text', {}, 'content'],
          ['write_bytes', {}, 'content_base64'],
          ['write_bytes', { content_base64: '*' }, 'content_base64'],
          ['write_text', { content: '', mode: 4096 }, 'mode'],
          ['read_range', { offset: 1 }, 'length'],
          ['read_range', { offset: -1, length: 1 }, 'offset'],
          ['write_range', { content_base64: '' }, 'offset'],
          ['move', {}, '"to"'],
          ['chmod', {}, 'operation'],
        ]
        for (const [operation, more, names] of bad)
          assert.ok((await refused([400, 'invalid_request'], operation, 'x', more)).includes(names), operation)
        await refused([413, 'too_large'], 'write_range', 'x', { offset: limits.fileEndBytes, content_base64: 'AA==' })
        await refused([400, 'invalid_request'], 'write_text', 'x/', { content: '' })
        await refused([400, 'invalid_request'], 'write_text', '', { content: '' })
        await refused([400, 'invalid_request'], 'read_text', '')
        await refused([404, 'not_found'], 'read_text', 'nothing')
      })
    })

  test('a list of more than 10,000 entries is truncated, and goes on at its cursor', async () => {
    await create('many')
    const { id } = (await computers('GET', '/many')).body.computer
    const names = Array.from({ length: limits.listEntries + 5 }, (_, index) => `f${String(index).padStart(6, '0')}`)
    await server.driver
      .files(id)
      .writeMany(names.map((name) => ({ path: `${workspace}/d/${name}`, data: Buffer.alloc(0) })))
    const list = async (path: string, more: object) =>
      (await computers('POST', '/many/files/ops', { operation: 'list', path, ...more })).body
    for (const [path, more] of [
      [`${workspace}/d`, {}],
      [workspace, { recursive: true }],
    ] as const) {
      const first = await list(path, more)
      assert.deepEqual([first.entries.length, first.truncated], [limits.listEntries, true])
      const rest = await list(path, { ...more, cursor: first.cursor })
      const found = [...first.entries, ...rest.entries].map(({ name }) => name).filter((name) => name !== 'd')
      assert.deepEqual([found, rest.truncated], [names, undefined])
    }
  })

  test('a file that is larger than an answer is read in ranges', async () => {
    await create('large')
    const { id } = (await computers('GET', '/large')).body.computer
    const files = server.driver.files(id)
    const path = `${workspace}/large`
    await files.write(path, Buffer.alloc(limits.readBytes + 1, 'x'), { maxBytes: Infinity })
    const read = (operation: string, more: object = {}) =>
      computers('POST', '/large/files/ops', { operation, path, ...more })
    for (const operation of ['read_text', 'read_bytes'])
      assert.deepEqual((await read(operation)).body.error.code, 'too_large', operation)
    assert.equal((await read('read_range', { offset: 0, length: limits.readBytes * 2 })).status, 413)
    const { body } = await read('read_range', { offset: 1, length: limits.readBytes })
    assert.equal(Buffer.from(body.content_base64, 'base64').length, limits.readBytes)
  })

  test('only an owner or an admin of the workspace uses the files; for others the computer does not exist', async () => {
    const [member, stranger] = [await signInByMail(server), await signInByMail(server)]
    await create('shared')
    const { workspace_id } = (await server.call('GET', '/v1/me')).body
    const { user_id } = (await server.call('GET', '/users/me', undefined, { token: member })).body
    const join = (role: 'admin' | 'member') =>
      server.db
        .insertInto('memberships')
        .values({ account_id: workspace_id, user_id, role, created_at: 1 })
        .onConflict((conflict) => conflict.columns(['account_id', 'user_id']).doUpdateSet({ role }))
        .execute()
    const within = { token: `${member}~${workspace_id}` }
    const list = async (options: object) => {
      const { status } = await server.call('POST', '/v1/computers/shared/files/ops', { operation: 'list' }, options)
      return status
    }
    await join('member')
    assert.equal(await list(within), 403)
    await join('admin')
    assert.deepEqual([await list(within), await list({ token: stranger })], [200, 404])
  })
})
