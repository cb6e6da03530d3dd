import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { skipsWithoutDiskLimits } from '../support/disk-limits.ts'
import { newSession, TestServer, until } from '../support/server.ts'

describe('files of a sandbox', () => {
  let server: TestServer
  const sessionId = newSession()

  before(async () => {
    server = await TestServer.start()
  })
  after(() => server.stop())

  const post = (path: string, body: Record<string, unknown>) => server.done(path, { sessionId, ...body })
  const shell = async (code: string) => (await server.shell(code, { sessionId })).stdout as string

  test("write returns what it wrote, and the sandbox's user owns it", async () => {
    const body = await post('/files/write', { path: '/workspace/a/b/c.txt', content: 'hällo\n' })
    assert.deepEqual(body, { success: true, path: '/workspace/a/b/c.txt', size: 7, sessionId })
    assert.equal(await shell('cat a/b/c.txt; stat -c "%U:%G %a" a/b/c.txt a'), 'hällo\nnode:node 644\nnode:node 755\n')
  })

  test('read returns what the sandbox wrote', async () => {
    await shell('printf "x\\ny" > read.txt')
    assert.deepEqual(await post('/files/read', { path: '/workspace/read.txt' }), {
      success: true,
      path: '/workspace/read.txt',
      content: 'x\ny',
      encoding: 'utf8',
      size: 3,
    })
  })

  test('a relative path is under /workspace', async () => {
    const { path } = await post('/files/write', { path: 'rel/x.txt', content: '1' })
    assert.equal(path, '/workspace/rel/x.txt')
    assert.equal((await post('/files/read', { path: './rel/../rel/x.txt' })).content, '1')
    assert.equal((await post('/files/list', { path: 'rel' })).files[0].path, '/workspace/rel/x.txt')
  })

  test('truncated or wrongly padded base64 is refused, and the file stays', async () => {
    await post('/files/write', { path: 'kept.txt', content: 'kept' })
    for (const content of ['a', 'YWJjZ', 'YQ=', 'YWI==', 'YWJj=', '==', 'YW=Jj', 'YQ===', 'YW-j']) {
      const refused = await server.post('/files/write', { path: 'kept.txt', content, encoding: 'base64', sessionId })
      assert.deepEqual([refused.status, refused.body.field], [400, 'content'], content)
    }
    assert.equal((await post('/files/read', { path: 'kept.txt' })).content, 'kept')
    for (const content of ['YWI=', 'YWI', 'Y W\nI=\n'])
      assert.equal((await post('/files/write', { path: 'kept.txt', content, encoding: 'base64' })).size, 2, content)
  })

  test('a directory in place of a file is refused with 409', async () => {
    await post('/files/write', { path: 'taken', content: 'x' })
    for (const path of ['taken', 'taken/']) {
      const { status, body } = await server.post('/files/mkdir', { path, sessionId })
      assert.deepEqual([status, body.code], [409, 'ALREADY_EXISTS'])
      assert.match(body.error, /a file is there/)
    }
    const below = await server.post('/files/mkdir', { path: 'taken/below', sessionId })
    assert.equal(below.status, 404)
  })

  test('bytes that are not UTF-8 are read as base64, and written from it', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index))
    const { size } = await post('/files/write', {
      path: 'bin',
      content: bytes.toString('base64'),
      encoding: 'base64',
    })
    assert.equal(size, 256)
    const { content, encoding } = await post('/files/read', { path: 'bin' })
    assert.deepEqual([encoding, Buffer.from(content, 'base64')], ['base64', bytes])
    const asked = await post('/files/read', { path: 'rel/x.txt', encoding: 'base64' })
    assert.deepEqual([asked.encoding, asked.content], ['base64', 'MQ=='])
  })

  test('a text with NUL, a byte order mark and \\r\\n comes back unchanged', async () => {
    const content = '\ufeffa\0b\r\nc'
    await post('/files/write', { path: 'odd.txt', content })
    assert.equal((await post('/files/read', { path: 'odd.txt' })).content, content)
  })

  test('a file may be empty', async () => {
    await post('/files/write', { path: 'empty', content: '' })
    const { content, size } = await post('/files/read', { path: 'empty' })
    assert.deepEqual([content, size], ['', 0])
  })

  for (const name of ['ünï€😀.txt', 'with space', '-dash', "it's", '"quoted"', 'new\nline', '*', '%2e%2e', 'e\u0301'])
    test(`a file may be called ${JSON.stringify(name)}`, async () => {
      await post('/files/write', { path: `names/${name}`, content: name })
      const { files } = await post('/files/list', { path: 'names' })
      assert.ok(files.some((file: { name: string }) => file.name === name))
      assert.equal((await post('/files/read', { path: `names/${name}` })).content, name)
      const { status, body } = await server.call(
        'GET',
        `/files/download?${String(new URLSearchParams({ path: `names/${name}`, sessionId }))}`,
      )
      assert.deepEqual([status, body], [200, name])
    })

  test('mode makes a file executable, and a later write keeps it', async () => {
    await post('/files/write', { path: 'run.sh', content: '#!/bin/sh\necho ran\n', mode: 0o755 })
    assert.equal(await shell('./run.sh'), 'ran\n')
    await post('/files/write', { path: 'run.sh', content: '#!/bin/sh\necho again\n' })
    assert.equal(await shell('./run.sh; stat -c %a run.sh'), 'again\n755\n')
  })

  test('list returns name, path, type, size, mode and time of each entry', async () => {
    await shell('mkdir -p kinds/dir; echo 12345 > kinds/file; ln -s /etc/passwd kinds/link; mkfifo kinds/pipe')
    const { files, path } = await post('/files/list', { path: '/workspace/kinds' })
    assert.equal(path, '/workspace/kinds')
    assert.deepEqual(
      files.map(({ name, type, target }: Record<string, string>) => [name, type, target]),
      [
        ['dir', 'directory', undefined],
        ['file', 'file', undefined],
        ['link', 'symlink', '/etc/passwd'],
        ['pipe', 'other', undefined],
      ],
    )
    const { modified, ...file } = files[1]
    assert.deepEqual(file, { name: 'file', path: '/workspace/kinds/file', type: 'file', size: 6, mode: 0o644 })
    assert.ok(Math.abs(Date.now() - Date.parse(modified)) < 60_000)
  })

  test('list returns a name that is not UTF-8 with its bytes and a readable form', async () => {
    await server.shell("mkdir odd && touch $'odd/a\\xff' odd/ä", { sessionId })
    const { files } = await post('/files/list', { path: 'odd' })
    assert.deepEqual(
      files.map(({ name, nameBase64, path }: Record<string, string>) => [name, nameBase64, path]),
      [
        ['a\ufffd', Buffer.from('a\xff', 'latin1').toString('base64'), '/workspace/odd/a\ufffd'],
        ['ä', undefined, '/workspace/odd/ä'],
      ],
    )
  })

  test('list of an empty directory is empty, and of the root has /etc', async () => {
    await post('/files/mkdir', { path: 'nothing' })
    assert.deepEqual((await post('/files/list', { path: 'nothing' })).files, [])
    const root = await post('/files/list', { path: '/' })
    assert.ok(root.files.some(({ path }: { path: string }) => path === '/etc'))
  })

  test('list returns all of 3000 entries', async () => {
    await shell('mkdir many; cd many; seq 3000 | xargs touch')
    assert.equal((await post('/files/list', { path: 'many' })).files.length, 3000)
  })

  test('mkdir creates parents, and accepts an existing directory', async () => {
    for (let twice = 0; twice < 2; twice++)
      assert.deepEqual(await post('/files/mkdir', { path: 'x/y/z' }), { success: true, path: '/workspace/x/y/z' })
    assert.equal(await shell('stat -c "%F %U" x/y/z'), 'directory node\n')
  })

  test('a link is followed within the sandbox, and its target is written', async () => {
    await shell('mkdir to; ln -s to from; ln -s /workspace/to/inner to/link')
    await post('/files/write', { path: 'from/plain', content: '1' })
    await post('/files/write', { path: 'to/link', content: '2' })
    assert.equal(await shell('cat to/plain to/inner; readlink to/link'), '12/workspace/to/inner\n')
  })

  test('a write is atomic: a reader sees the old text or the new one', async () => {
    await post('/files/write', { path: 'atomic', content: 'a'.repeat(200_000) })
    const code = [
      'import os',
      'seen = set()',
      'while not os.path.exists("stop"):',
      '  text = open("atomic").read()',
      '  seen.add((len(text), "".join(sorted(set(text)))))',
      'print(sorted(seen))',
    ].join('\n')
    const reader = server.post('/execute', { code, language: 'python', sessionId })
    for (let index = 0; index < 100; index++)
      await post('/files/write', { path: 'atomic', content: (index % 2 ? 'a' : 'b').repeat(200_000) })
    await post('/files/write', { path: 'stop', content: '' })
    assert.equal((await reader).body.result.stdout, "[(200000, 'a'), (200000, 'b')]\n")
  })

  test('a full disk answers 507, and the old text stays', async (t) => {
    if (skipsWithoutDiskLimits(t, server)) return
    const small = newSession()
    await server.post('/files/write', { path: 'keep', content: 'old', sessionId: small })
    const { reason } = await server.shell('head -c 600M /dev/urandom > fill', { sessionId: small, timeout: 60_000 })
    assert.equal(reason, 'disk_full')
    const { status, body } = await until(
      () => server.post('/files/write', { path: 'keep', content: 'n'.repeat(8_000_000), sessionId: small }),
      (answer) => answer.status !== 200,
    )
    assert.deepEqual([status, body.code, body.action], [507, 'DISK_FULL', 'FREE_SPACE'])
    const kept = await server.post('/files/read', { path: 'keep', sessionId: small })
    assert.match(kept.body.content, /^(old|n{8000000})$/)
  })

  for (const [why, route, body, status, code] of [
    ['a missing file', '/files/read', { path: '/none' }, 404, 'NOT_FOUND'],
    ['a missing directory', '/files/list', { path: '/none' }, 404, 'NOT_FOUND'],
    ['reading a directory', '/files/read', { path: '/etc' }, 400, 'INVALID_REQUEST'],
    ['reading a device', '/files/read', { path: '/dev/null' }, 404, 'NOT_FOUND'],
    ['reading what is mounted for programs', '/files/read', { path: '/etc/resolv.conf' }, 404, 'NOT_FOUND'],
    ['writing what is mounted for programs', '/files/write', { path: '/etc/hosts', content: '' }, 404, 'NOT_FOUND'],
    ['listing a file', '/files/list', { path: '/etc/passwd' }, 400, 'INVALID_REQUEST'],
    ['writing over a directory', '/files/write', { path: '/etc', content: '' }, 400, 'INVALID_REQUEST'],
    ['writing the root', '/files/write', { path: '/', content: '' }, 400, 'INVALID_REQUEST'],
    ['a file as a directory', '/files/write', { path: '/etc/passwd/x', content: '' }, 404, 'NOT_FOUND'],
    ['a missing path', '/files/read', {}, 400, 'INVALID_REQUEST'],
    ['an empty path', '/files/read', { path: '' }, 400, 'INVALID_REQUEST'],
    ['missing content', '/files/write', { path: 'x' }, 400, 'INVALID_REQUEST'],
    [
      'content that is no base64',
      '/files/write',
      { path: 'x', content: '%', encoding: 'base64' },
      400,
      'INVALID_REQUEST',
    ],
    ['a mode over 07777', '/files/write', { path: 'x', content: '', mode: 4096 }, 400, 'INVALID_REQUEST'],
    ['a name of 256 bytes', '/files/write', { path: 'x'.repeat(256), content: '' }, 400, 'INVALID_REQUEST'],
  ] as const)
    test(`${why} is refused with ${status} by ${route}`, async () => {
      const answer = await server.post(route, { sessionId, ...body })
      assert.deepEqual([answer.status, answer.body.code], [status, code], answer.body.error)
    })

  test('listing a file and mkdir over one are refused, and the file stays', async () => {
    for (const route of ['/files/list', '/files/mkdir']) {
      const { status } = await server.post(route, { path: '/etc/passwd', sessionId })
      assert.ok(status >= 400 && status < 500, `${route} answered ${status}`)
    }
    assert.match(await shell('head -1 /etc/passwd'), /^root:/)
  })
})
